// A native binding that the test drives: the facade's own rules are tested without a core behind it.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { METHOD_NAMES } from './methods.mjs';

const require = createRequire(import.meta.url);

/** Answers as the addon writes them. */
export const ok = (data = null, event = 0) => `=${event},${JSON.stringify(data)}`;
export const failed = (record) => `!${JSON.stringify(record)}`;

/** The record of an error with defaults for what the test does not care about. */
export const record = (fields) => ({
  code: 'OPENIM_INTERNAL', errCode: 10006, errMsg: 'boom', operationID: '', retryable: false, event: 0, ...fields,
});

export class FakeNativeClient {
  static last;

  calls = [];
  cancelled = [];
  credits = 0;
  listens = 0;
  #ids = 0;
  #answers = new Map([['open', ok()], ['close', ok()]]);

  constructor(onEvents) {
    this.onEvents = onEvents;
    FakeNativeClient.last = this;
  }

  /** What a method answers: text, or a function of (params, operationID, cancel). */
  answer(method, text) {
    this.#answers.set(method, text);
  }

  /** Sends a batch as the pump of the addon does. */
  batch(events, last) {
    this.onEvents(JSON.stringify(events), last);
  }

  listen() {
    this.listens += 1;
  }

  credit() {
    this.credits += 1;
  }

  renewTokensWith(provider) {
    this.tokenProvider = provider;
  }

  begin() {
    return ++this.#ids;
  }

  cancel(id) {
    this.cancelled.push(id);
  }

  status() {
    return JSON.stringify({ loginStatus: 3, connectionStatus: 'connected', syncStatus: 'synced', userID: 'alice' });
  }

  stats() {
    return JSON.stringify({ rttMs: 1, reconnects: 0 });
  }

  createTextMessage(params) {
    return this.#reply('createTextMessage', [params]);
  }

  getConversationIDBySessionType(params) {
    return this.#reply('getConversationIDBySessionType', [params]);
  }

  #reply(method, args) {
    this.calls.push({ method, params: JSON.parse(args[0]), operationID: args[1], cancel: args[2] });
    const answer = this.#answers.get(method) ?? ok();
    return typeof answer === 'function' ? answer(...args) : answer;
  }

  static {
    for (const method of METHOD_NAMES) {
      this.prototype[method] = async function call(...args) {
        return this.#reply(method, args);
      };
    }
  }
}

export class FakeNativeDevServer {
  static last;
  log = [];

  constructor() {
    FakeNativeDevServer.last = this;
  }

  async start(params) {
    const { apiPort = 0, wsPort = 0, accountPort = 0 } = JSON.parse(params);
    this.log.push(['start', JSON.parse(params)]);
    return ok({
      apiAddr: `http://127.0.0.1:${apiPort || 4001}`,
      wsAddr: `ws://127.0.0.1:${wsPort || 4002}`,
      accountAddr: `http://127.0.0.1:${accountPort || 4003}`,
    });
  }

  async stop() {
    this.log.push(['stop']);
    return ok();
  }

  async registerUsers(params) {
    this.log.push(['registerUsers', JSON.parse(params)]);
    return ok();
  }

  async token(params) {
    const { userID, platformID } = JSON.parse(params);
    return ok(`${userID}@${platformID}`);
  }
}

/** The public entry over a binding of the test's own. */
export function loadFacade(binding = {}) {
  const path = (file) => require.resolve(`../../${file}`);
  const facade = ['index.js', 'js/client.js', 'js/dev-server.js', 'js/logs.js', 'js/loader.js'].map(path);
  for (const file of facade) delete require.cache[file];
  require.cache[path('js/loader.js')] = {
    id: path('js/loader.js'),
    filename: path('js/loader.js'),
    loaded: true,
    exports: {
      binding: {
        NativeClient: FakeNativeClient,
        NativeDevServer: FakeNativeDevServer,
        sdkVersion: () => '0.0.0-fake',
        ...binding,
      },
    },
  };
  try {
    const entry = require(path('index.js'));
    // what is loaded when first asked for must be loaded over this binding too
    assert.ok(entry.DevServer);
    return entry;
  } finally {
    for (const file of facade) delete require.cache[file];
  }
}

const CONFIG = { apiAddr: 'http://127.0.0.1:1', wsAddr: 'ws://127.0.0.1:1', platformID: 7, dataDir: ':memory:' };

/** An open client and the fake that it runs on; closed when the test ends. */
export async function openFake(t, config = CONFIG) {
  const { OpenIM } = loadFacade();
  const client = await OpenIM.open(config);
  t.after(() => client.close());
  return { client, native: FakeNativeClient.last };
}
