// npm run test:interop: published OpenIM clients against the dev server, among themselves and with this client.
//
// The published clients are installed from the registry at test time, into a cache outside the repository; nothing of
// them is part of this package. Pairs whose clients cannot be had are skipped with the reason; INTEROP=required makes
// that a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NATIVE_PEERS, nativeLibrary } from '../__test__/interop/native-core.mjs';
import { exitCode } from './run.mjs';
import { startCommand } from './server-command.mjs';

const CACHE = join(tmpdir(), 'openim-node-interop');
/** Packages by kind of peer. */
const PEERS = { published: { '@openim/client-sdk': '0.0.14', ws: '8' }, native: NATIVE_PEERS };
const PAIRS = [
  ['published', 'published'], ['ours', 'published'], ['published', 'ours'],
  ['native', 'native'], ['ours', 'native'], ['native', 'ours'],
];
const SECRET = 'interop-secret';

/** Installs the clients of a kind; returns why they cannot be had, or undefined. */
function install(kind) {
  const dependencies = PEERS[kind];
  const manifest = JSON.stringify({ private: true, dependencies });
  const folder = join(CACHE, kind);
  const file = join(folder, 'package.json');
  const complete = () => Object.keys(dependencies).every((name) => existsSync(join(folder, 'node_modules', name)));
  mkdirSync(folder, { recursive: true });
  if (existsSync(file) && readFileSync(file, 'utf8') === manifest && complete()) return undefined;
  writeFileSync(file, manifest);
  const { status, stderr } = spawnSync(
    'npm', ['install', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'],
    { cwd: folder, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  return status === 0 ? undefined : `the ${kind} client cannot be installed: ${stderr.trim().split('\n')[0]}`;
}

/** Why a kind of peer cannot take part, or undefined. */
function missing(kind) {
  if (kind === 'ours') return undefined;
  const reason = install(kind);
  if (reason === undefined && kind === 'native' && nativeLibrary(join(CACHE, kind)) === undefined) {
    return `the native client has no library for ${process.platform}-${process.arch}`;
  }
  return reason;
}

const required = process.env.INTEROP === 'required';
const reasons = Object.fromEntries(['ours', ...Object.keys(PEERS)].map((kind) => [kind, missing(kind)]));
const server = await startCommand('--secret', SECRET);
const { apiAddr, wsAddr } = server.addresses;
const env = { PEER_CACHE: CACHE, OPENIM_API: apiAddr, OPENIM_WS: wsAddr, OPENIM_SECRET: SECRET };
const counts = { passed: 0, failed: 0, skipped: 0 };
for (const pair of PAIRS) {
  const reason = pair.map((kind) => reasons[kind]).find((found) => found !== undefined);
  if (reason !== undefined) {
    console.log(`${required ? 'FAIL' : 'SKIP'} ${pair.join('-')} :: ${reason}`);
    counts[required ? 'failed' : 'skipped'] += 1;
  } else {
    const code = exitCode(process.execPath, ['__test__/interop/pair.mjs', ...pair], { env });
    counts[code === 0 ? 'passed' : 'failed'] += 1;
  }
}
await server.stop();
console.log(`interop: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exit(counts.failed === 0 ? 0 : 1);
