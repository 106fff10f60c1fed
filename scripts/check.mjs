// npm run check: everything that can be said about the sources without running the product, and a few seconds of damaged
// input for what reads from the wire. Runs all of it and then
// says what failed, so that one run shows all there is to mend.
import { prepare } from './prepare.mjs';
import { exitCode } from './run.mjs';

const CHECKS = [
  ['format', 'cargo', ['fmt', '--all', '--check']],
  ['lints', 'cargo', ['clippy', '--workspace', '--all-targets', '--profile', 'ci', '--', '-D', 'warnings']],
  ['arrows', 'cargo', ['xtask', 'arrows']],
  ['generated files and parity', 'cargo', ['xtask', 'gen', '--check']],
  ['damaged input', process.execPath, ['scripts/fuzz.mjs', '--seed', '1', '--seconds', '2']],
  ['types', process.execPath, ['--test', '--test-reporter=spec', '__test__/types/types.spec.mjs']],
  ['package', process.execPath, ['scripts/lint-package.mjs']],
];

prepare();
const failed = CHECKS.filter(([name, command, args]) => {
  console.log(`\n== ${name}`);
  return exitCode(command, args) !== 0;
});
console.log(failed.length === 0 ? '\ncheck ok' : `\ncheck failed: ${failed.map(([name]) => name).join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
