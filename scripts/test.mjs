// npm test: every Rust and every JavaScript test.
//
//   node scripts/test.mjs [--soak | --conformance] [WORD ...]
//
// With words only the specs whose path contains one of them run, and no Rust test. --soak runs the long forms.
// --conformance runs what says something about a server, against the one that OPENIM_API, OPENIM_WS and OPENIM_SECRET
// name.
import { readdirSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { prepare } from './prepare.mjs';
import { exitCode, root, run } from './run.mjs';

/** Specs that need no server, or one of their own. */
const OURS_ALONE = ['unit', 'types', 'package', 'cli.spec.mjs', 'dev-server.spec.mjs', 'examples.spec.mjs'];

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

const { values: { soak, conformance }, positionals: words } = parseArgs({
  options: { soak: { type: 'boolean', default: false }, conformance: { type: 'boolean', default: false } },
  allowPositionals: true,
});
if (conformance && !(process.env.OPENIM_API && process.env.OPENIM_WS)) {
  fail('name the server: OPENIM_API=http://… OPENIM_WS=ws://… OPENIM_SECRET=… npm run conformance');
}

const specs = readdirSync(join(root, '__test__'), { recursive: true })
  .filter((path) => path.endsWith('.spec.mjs'))
  .filter((path) => !conformance || !OURS_ALONE.includes(path.split(sep)[0]))
  .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
  .map((path) => join('__test__', path))
  .sort();
if (specs.length === 0) fail(`no spec has one of these words in its path: ${words.join(' ')}`);

prepare();
if (words.length === 0 && !conformance) run('cargo', ['test', '--workspace', '--profile', 'ci']);
process.exit(exitCode(
  process.execPath,
  ['--test', '--test-reporter=spec', '--test-concurrency=2', ...specs],
  { env: soak ? { SOAK: '1' } : {} },
));
