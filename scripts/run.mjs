// Running other programs, for the scripts beside this file. No dependencies: it works before anything is installed.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a program with the terminal of this one; ends this process if it fails. */
export function run(command, args, { env = {} } = {}) {
  const status = exitCode(command, args, { env });
  if (status !== 0) {
    console.error(`failed: ${[command, ...args].join(' ')}`);
    process.exit(status);
  }
}

/** Runs a program with the terminal of this one and returns its exit code. */
export function exitCode(command, args, { env = {} } = {}) {
  // npm is a shell script with another name on Windows
  const shell = process.platform === 'win32' && command === 'npm';
  const { status, error } = spawnSync(command, args, {
    cwd: root, stdio: 'inherit', env: { ...process.env, ...env }, shell,
  });
  if (error) {
    const missing = error.code === 'ENOENT' ? ' (it is not installed, or not on the PATH)' : '';
    console.error(`cannot run ${command}: ${error.message}${missing}`);
    return 127;
  }
  return status ?? 1;
}

/** The script behind a command of an installed package: started with Node itself, it runs on every platform. */
export function tool(name, command) {
  const folder = join(root, 'node_modules', name);
  return join(folder, JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).bin[command]);
}
