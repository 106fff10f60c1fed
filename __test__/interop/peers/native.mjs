// The published native core, which nobody here wrote either, as the Electron SDK's main process drives it. In a process
// of its own. PEER_CACHE names the folder that has it.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NATIVE_PEERS } from '../native-core.mjs';
import { Timeline } from '../timeline.mjs';
import { face } from './face.mjs';

/** Linux: what it says it is; the token must be for the same. */
export const platformID = 7;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** A running core: calls, and what it tells. */
class Core {
  #process;
  #calls = new Map();
  #last = 0;
  timeline = new Timeline();

  static async start(dataDir) {
    const core = new Core();
    core.#process = fork(here('native-process.mjs'), [], {
      cwd: dataDir,
      env: { ...process.env, NODE_PATH: here('../stand-ins') },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    core.#process.on('message', (message) => core.#receive(message));
    core.#process.on('exit', (code, signal) => core.#fail(new Error(`the native core ended: ${signal ?? code}`)));
    await core.#answer('start');
    return core;
  }

  call(method, ...args) {
    this.#last += 1;
    const call = this.#last;
    this.#process.send({ call, method, args });
    return this.#answer(call);
  }

  async stop() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    if (this.#process.connected) this.#process.disconnect();
    await gone;
  }

  #answer(call) {
    return new Promise((resolve, reject) => { this.#calls.set(call, { resolve, reject }); });
  }

  #receive({ event, data, call, answer }) {
    if (event !== undefined) this.timeline.add(event, data);
    else this.#settle(call, (waiting) => waiting.resolve(answer));
  }

  #settle(call, how) {
    const waiting = this.#calls.get(call);
    this.#calls.delete(call);
    if (waiting !== undefined) how(waiting);
  }

  #fail(error) {
    for (const call of [...this.#calls.keys()]) this.#settle(call, (waiting) => waiting.reject(error));
  }
}

export async function open({ label, userID, token, addresses }) {
  const dataDir = mkdtempSync(join(tmpdir(), 'openim-node-native-'));
  const core = await Core.start(dataDir);
  /** Its calls answer with an envelope. */
  const call = async (method, ...args) => {
    const answer = await core.call(method, ...args);
    if (answer?.errCode) throw new Error(`${method}: ${answer.errCode} ${answer.errMsg}`);
    return answer?.data;
  };
  const config = { ...addresses, platformID, dataDir, logFilePath: dataDir, logLevel: 2, isLogStandardOutput: false };
  await call('initSDK', config);
  return {
    label,
    userID,
    timeline: core.timeline,
    version: NATIVE_PEERS['@openim/electron-client-sdk'],
    // two messages of one millisecond stand in any order
    ordersByTime: true,
    ...face(call),
    login: () => call('login', { userID, token }),
    async close() {
      await core.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
