// npm run test:interop: published OpenIM clients against the dev server, among themselves and with this client.
//
// The published clients are installed from the registry at test time, into a cache outside the repository; nothing of
// them is part of this package. Where they cannot be had the run is skipped with the reason; INTEROP=required makes
// that a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exitCode } from './run.mjs';
import { startCommand } from './server-command.mjs';

const CACHE = join(tmpdir(), 'openim-node-interop');
const PEERS = { '@openim/client-sdk': '0.0.14', ws: '8' };
const PAIRS = [['published', 'published'], ['ours', 'published'], ['published', 'ours']];
const SECRET = 'interop-secret';

/** Installs the published clients; returns why they cannot be had, or undefined. */
function installPeers() {
  const manifest = JSON.stringify({ private: true, dependencies: PEERS });
  const file = join(CACHE, 'package.json');
  mkdirSync(CACHE, { recursive: true });
  const same = existsSync(file) && readFileSync(file, 'utf8') === manifest;
  if (same && Object.keys(PEERS).every((name) => existsSync(join(CACHE, 'node_modules', name)))) return undefined;
  writeFileSync(file, manifest);
  const { status, stderr } = spawnSync(
    'npm', ['install', '--ignore-scripts', '--legacy-peer-deps', '--no-audit', '--no-fund'],
    { cwd: CACHE, encoding: 'utf8', shell: process.platform === 'win32' },
  );
  return status === 0 ? undefined : `the published clients cannot be installed: ${stderr.trim().split('\n')[0]}`;
}

const reason = installPeers();
if (reason !== undefined) {
  const required = process.env.INTEROP === 'required';
  console.log(`${required ? 'FAIL' : 'SKIP'} interop :: ${reason}`);
  console.log(required ? '0 passed, 1 failed' : '0 passed, 0 failed, 1 skipped');
  process.exit(required ? 1 : 0);
}

const server = await startCommand('--secret', SECRET);
const { apiAddr, wsAddr } = server.addresses;
const env = { PEER_CACHE: CACHE, OPENIM_API: apiAddr, OPENIM_WS: wsAddr, OPENIM_SECRET: SECRET };
const runs = (pair) => exitCode(process.execPath, ['__test__/interop/pair.mjs', ...pair], { env }) === 0;
const failed = PAIRS.filter((pair) => !runs(pair));
await server.stop();
console.log(`interop: ${PAIRS.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
