// A server and the people on it. Everything is closed, in order, when the test ends.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { OpenIM, Platform } from 'openim-node';
import { Proof } from './proof.mjs';
import { Recording } from './recording.mjs';
import { startServer } from './servers.mjs';

/** Makes the user ids of one run its own, so that runs against one server do not meet. */
const RUN = randomBytes(4).toString('hex');
let worlds = 0;

export class World {
  #suffix = `${RUN}_${++worlds}`;
  #clients = [];
  #folders = [];
  #known = new Map();
  #recordings = [];
  #proof;
  /** The server of this world. */
  server;

  /**
   * @param t the test that the world belongs to
   * @param config of the server; `dataDir: true` gives it a folder, without it everything is in memory
   */
  static async start(t, { dataDir, ...config } = {}) {
    const world = new World();
    world.#proof = new Proof(t.name);
    t.after(() => world.#end());
    world.server = await startServer({ ...config, ...(dataDir ? { dataDir: world.folder() } : {}) });
    return world;
  }

  /** The user id of a person in this world. */
  id(name) {
    return `${name}_${this.#suffix}`;
  }

  /** The id of the single chat of two people. */
  chat(one, other) {
    return `si_${[this.id(one), this.id(other)].sort().join('_')}`;
  }

  /** A folder of this world's own. */
  folder() {
    const folder = mkdtempSync(join(tmpdir(), 'openim-node-test-'));
    this.#folders.push(folder);
    return folder;
  }

  /** Creates the account of a person; her nickname is her name. */
  register(name) {
    if (!this.#known.has(name)) {
      const user = { userID: this.id(name), nickname: name, faceURL: `https://faces.example/${name}.png` };
      this.#known.set(name, this.server.register([user]));
    }
    return this.#known.get(name);
  }

  async token(name, platformID = Platform.Linux) {
    await this.register(name);
    return this.server.token(this.id(name), platformID);
  }

  /** An open client that nobody has logged in on. */
  async open(config = {}) {
    const client = await OpenIM.open({
      ...this.server.addresses, platformID: Platform.Linux, dataDir: ':memory:', ...config,
    });
    this.#clients.push(client);
    this.#proof.watch(client);
    return client;
  }

  /** Notes that this test has shown something which is neither a call on its clients nor in their recordings. */
  shows(kind, name) {
    this.#proof.add(kind, name);
  }

  /** A person's client, logged in and in step with the server, and what it told since it was opened. */
  async enter(name, { waitUntil = 'synced', ...config } = {}) {
    const client = await this.open(config);
    const recording = new Recording(client);
    this.#recordings.push(recording);
    const token = await this.token(name, config.platformID);
    await client.login({ userID: this.id(name), token, waitUntil });
    return { client, recording, id: this.id(name), token };
  }

  async #end() {
    for (const { seen } of this.#recordings) this.#proof.heard(seen);
    this.#proof.write();
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.server?.stop();
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** Sends a text from one person's client to another's id. */
export function say(from, to, text, options) {
  return from.client.sendMessage({ recvID: to.id, groupID: '', message: from.client.createTextMessage(text) }, options);
}

/**
 * Resolves once everything that the server had for `to` has arrived there: a message that is stored nowhere and changes
 * nothing follows it on the same connection.
 */
export async function settled(from, to) {
  const message = from.client.createTextMessage('fence');
  await from.client.sendMessage({ recvID: to.id, groupID: '', message, isOnlineOnly: true });
  const isFence = ({ clientMsgID }) => clientMsgID === message.clientMsgID;
  await to.recording.heard('OnRecvOnlineOnlyMessages', (messages) => messages.some(isFence));
  to.recording.events = to.recording.events.filter(([name]) => !name.startsWith('OnRecvOnlineOnlyMessage'));
}

export const textOf = (message) => message.textElem.content;
