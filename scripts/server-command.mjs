// `openim-dev-server` as a child process, and the administrator of any OpenIM server: for scripts, benchmarks, tests.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
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
    async stop() {
      child.kill();
      await exited;
    },
  };
}

/** What an administrator does over the REST API. */
export class Administrator {
  #apiAddr;
  #login;
  #token;

  constructor(apiAddr, { secret = 'openIM123', userID = 'imAdmin' } = {}) {
    this.#apiAddr = apiAddr;
    this.#login = { secret, userID };
  }

  /** Creates accounts. */
  async register(users) {
    await this.#post('/user/user_register', { users }, await this.#adminToken());
  }

  /** A token of an account for a platform. */
  async token(userID, platformID) {
    const { token } = await this.#post('/auth/get_user_token', { userID, platformID }, await this.#adminToken());
    return token;
  }

  #adminToken() {
    this.#token ??= this.#post('/auth/get_admin_token', this.#login).then(({ token }) => token);
    return this.#token;
  }

  async #post(path, body, token) {
    const headers = { 'content-type': 'application/json', operationID: randomUUID(), ...(token ? { token } : {}) };
    const response = await fetch(this.#apiAddr + path, { method: 'POST', headers, body: JSON.stringify(body) });
    const { errCode, errMsg, errDlt, data } = await response.json();
    if (errCode !== 0) throw new Error(`${path}: ${errCode} ${errMsg} ${errDlt}`);
    return data;
  }
}
