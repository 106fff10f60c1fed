// `openim-dev-server` as a child process: for scripts, benchmarks, tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { root } from './run.mjs';

/** Starts the command on free ports; resolves when it is ready. */
export async function startCommand(...args) {
  const free = ['api', 'ws', 'account'].flatMap((name) => [`--${name}`, '127.0.0.1:0']);
  const command = [join(root, 'bin/openim-dev-server.js'), ...free, '--json', ...args];
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    exited.then(([code]) => { throw new Error(`openim-dev-server ended with ${code}`); }),
  ]);
  const { apiAddr, wsAddr } = JSON.parse(line);
  return {
    addresses: { apiAddr, wsAddr },
    pid: child.pid,
    async stop() {
      child.kill();
      await exited;
    },
  };
}
