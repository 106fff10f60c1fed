// npm test: every Rust and every JavaScript test.
//
//   node scripts/test.mjs [--soak | --conformance] [WORD ...]
//
// With words only the specs whose path contains one of them run, and no Rust test. --soak runs the long forms, and then ten
// minutes of each fuzz target.
// --conformance runs what says something about a server, against the one that OPENIM_API, OPENIM_WS and OPENIM_SECRET
// name (OPENIM_ADMIN: its administrator, imAdmin if not given). It makes users of its own there and leaves them.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { Admin } from 'openim-node/admin';
import { fuzz } from './fuzz.mjs';
import { prepare } from './prepare.mjs';
import { exitCode, root, run } from './run.mjs';

/** Specs that need no server, or one of their own. */
const OURS_ALONE = [
  'unit', 'types', 'package', 'cli.spec.mjs', 'conformance.spec.mjs', 'dev-server.spec.mjs', 'examples.spec.mjs',
];

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

const { values: { soak, conformance }, positionals: words } = parseArgs({
  options: { soak: { type: 'boolean', default: false }, conformance: { type: 'boolean', default: false } },
  allowPositionals: true,
});
/** Ends with one clear line where every single test would fail for the same reason. */
async function checkNamedServer() {
  const { OPENIM_API, OPENIM_WS, OPENIM_SECRET, OPENIM_ADMIN = 'imAdmin' } = process.env;
  if (!OPENIM_API || !OPENIM_WS || !OPENIM_SECRET) {
    fail('name the server: OPENIM_API=http://… OPENIM_WS=ws://… OPENIM_SECRET=… npm run conformance');
  }
  try {
    const admin = await Admin.open({ apiAddr: OPENIM_API, secret: OPENIM_SECRET, adminUserID: OPENIM_ADMIN });
    await admin.getServerTime();
  } catch (error) {
    fail(`the server at ${OPENIM_API} does not let ${OPENIM_ADMIN} in: ${error.message}`);
  }
  console.log(`against ${OPENIM_API} and ${OPENIM_WS}`);
  console.log(`left out, since they need no server or one of their own: ${OURS_ALONE.join(', ')}`);
}

if (conformance) await checkNamedServer();

const specs = readdirSync(join(root, '__test__'), { recursive: true })
  .filter((path) => path.endsWith('.spec.mjs'))
  .filter((path) => !conformance || !OURS_ALONE.includes(path.split(sep)[0]))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .map((path) => join('__test__', path))
  .sort();
if (specs.length === 0) fail(`no spec has one of these words in its path: ${words.join(' ')}`);

prepare();
if (words.length === 0 && !conformance) run('cargo', ['test', '--workspace', '--profile', 'ci']);
const proof = mkdtempSync(join(tmpdir(), 'openim-node-proof-'));
const failed = exitCode(
  process.execPath,
  ['--test', '--test-reporter=spec', '--test-concurrency=2', ...specs],
  { env: { PARITY_PROOF: proof, ...(soak ? { SOAK: '1' } : {}) } },
);
// every row of docs/parity.md that says done is held against what the tests did
const unproven = failed === 0 && words.length === 0 && !conformance
  && exitCode('cargo', ['xtask', 'parity', '--proof', proof]) !== 0;
rmSync(proof, { recursive: true, force: true });
if (failed !== 0 || unproven) process.exit(failed || 1);
if (soak && words.length === 0 && !fuzz(['--seconds', '600'])) process.exit(1);
