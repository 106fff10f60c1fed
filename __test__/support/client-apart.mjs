// A client in a process of its own, so that what it takes of memory is its own. Started as a child process this file is
// that process; imported it is the other end.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { OpenIM } from 'openim-node';

/** How often the process looks at its memory, ms. What the system remembers of the most counts the parent's as well. */
const LOOK_EVERY = 2;

/** The process: calls come as messages, each answer tells the most memory that was resident. */
function serve() {
  let client;
  let received = 0;
  let peak = 0;
  setInterval(() => { peak = Math.max(peak, process.memoryUsage.rss()); }, LOOK_EVERY).unref();
  const calls = {
    async open({ config, login }) {
      client = await OpenIM.open(config);
      client.on('OnRecvNewMessages', (messages) => { received += messages.length; });
      await client.login(login);
    },
    received: () => received,
    close: () => client.close(),
  };
  process.on('message', async ({ method, params }) => {
    const call = async () => (calls[method] ? calls[method](params) : client[method](params));
    const answer = await call().then((value) => ({ value }), ({ code, errCode, message }) => ({
      failure: { code, errCode, message },
    }));
    process.send({ ...answer, peak });
    if (method === 'close') process.disconnect();
  });
}

/** A client in another process. */
export class ClientApart {
  #process;
  /** The most memory that was resident in that process so far, bytes; as of the last call. */
  peak = 0;
  /** What it wrote to the error stream. */
  stderr = '';

  static async start(t, config, login) {
    const client = new ClientApart();
    client.#process = fork(fileURLToPath(import.meta.url), ['serve'], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    client.#process.stderr.on('data', (piece) => { client.stderr += piece; });
    t.after(() => client.#process.kill());
    await client.call('open', { config, login });
    return client;
  }

  /** Calls a method of the client, or `received` for how many messages arrived. */
  async call(method, params) {
    this.#process.send({ method, params });
    const [{ value, failure, peak }] = await once(this.#process, 'message');
    this.peak = peak;
    if (failure !== undefined) throw Object.assign(new Error(failure.message), failure);
    return value;
  }

  /** Closes the client; the exit code of the process, which must end by itself. */
  async close() {
    const exited = once(this.#process, 'exit');
    await this.call('close');
    const [code] = await exited;
    return code;
  }
}

if (process.argv[2] === 'serve' && process.send !== undefined) serve();
