// The fuzz drivers, one after another: node scripts/fuzz.mjs [--seconds N] [--seed N]
//
// Each target runs for N seconds. docs/testing.md says what they do and how a failure is repeated.
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { exitCode, root } from './run.mjs';

const DRIVERS = ['fuzz', 'fuzz_inbound'];

/** Builds the drivers with the features that the tests are built with, so that little is compiled twice. */
function build() {
  const args = ['build', '--workspace', '--profile', 'ci', '--message-format=json-render-diagnostics'];
  const { status, stdout } = spawnSync('cargo', [...args, ...DRIVERS.flatMap((name) => ['--example', name])], {
    cwd: root, stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', maxBuffer: 64 << 20,
  });
  if (status !== 0) return undefined;
  const built = stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  return DRIVERS.map((name) => built.find(({ target, executable }) => executable && target?.name === name).executable);
}

/** Whether every driver held. */
export function fuzz(args) {
  return build()?.every((executable) => exitCode(executable, args) === 0) ?? false;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.exitCode = fuzz(process.argv.slice(2)) ? 0 : 1;
