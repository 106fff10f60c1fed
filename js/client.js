'use strict';

const { binding } = require('./loader');
const { Caller, newOperationID } = require('./call');
const { ListeningEmitter } = require('./emitter');
const { closedError } = require('./errors');
const { EventRouter } = require('./events');
const { KeepAlive } = require('./keep-alive');
const { configureLogs, exportLogs } = require('./logs');
const { METHODS, SYNC_METHODS, config: checkConfig } = require('./methods');
const { EventPump } = require('./pump');
const { options: checkOptions } = require('./validate');

/** What a server may offer beyond sending and receiving, and whether this version can use it. */
const CAPABILITIES = Object.freeze({
  friends: true,
  groups: false,
  objectStore: false,
  signaling: false,
  groupReadReceipt: false,
});

/** Given to the constructor by `OpenIM.open` alone: a client without an opened core would be of no use. */
const OPENING = Symbol('opening');

/** A provider as the addon calls it: its promise always resolves, with `=<token>` or `!<reason>`. */
const asking = (provider) => async () => {
  try {
    const token = await provider();
    return typeof token === 'string' ? `=${token}` : '!gave no string';
  } catch (error) {
    return `!${error?.message ?? error}`;
  }
};

/** One account's client. Any number of them live in one process. */
class OpenIM extends ListeningEmitter {
  #native;
  #router;
  #pump;
  #caller;
  #keepAlive = new KeepAlive();
  #closed;

  constructor(key) {
    if (key !== OPENING) throw new TypeError('a client is made by OpenIM.open(config)');
    super();
    this.#router = new EventRouter(this, () => this.#listen());
    this.#pump = new EventPump(
      (events) => this.#router.receive(events),
      () => this.#native.credit(),
    );
    this.#native = new binding.NativeClient((batch, last) => this.#pump.receive(batch, last));
    this.#caller = new Caller(this.#native, this.#pump);
    Object.assign(this, this.#router.emitters);
  }

  #listen() {
    this.#pump.listen();
    this.#native.listen();
  }

  /** Opens a client: checks the configuration and starts its core. Nothing is connected before `login`. */
  static async open(config, options = {}) {
    checkConfig(config);
    checkOptions(options, 'options');
    const client = new OpenIM(OPENING);
    if (config.tokenProvider !== undefined) client.#native.renewTokensWith(asking(config.tokenProvider));
    try {
      await client.#caller.call('open', config, options);
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** Replaces the logging of this process: level, files, the application's own log. */
  static configureLogs(config) {
    return configureLogs(config);
  }

  /** Writes what the log files hold into one gzip file and resolves with its path. */
  static exportLogs(path) {
    return exportLogs(path);
  }

  /** Ends the session and everything of it once its events are out, without a farewell that could fail. Idempotent. */
  close() {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close() {
    try {
      // what was stored is told before the end: it will not be news again
      await this.#caller.call('close');
    } finally {
      this.#router.close();
      this.#pump.close();
      this.#keepAlive.end();
    }
  }

  /** 1 logged out, 2 logging in, 3 logged in. */
  getLoginStatus() {
    return this.#status().loginStatus;
  }

  /** The logged-in user, or an empty string. */
  getLoginUserID() {
    return this.#status().userID;
  }

  getConnectionStatus() {
    return this.#status().connectionStatus;
  }

  getSyncStatus() {
    return this.#status().syncStatus;
  }

  stats() {
    return JSON.parse(this.#native.stats());
  }

  capabilities() {
    return { ...CAPABILITIES };
  }

  /** Lets the open client keep the process alive again. */
  ref() {
    this.#keepAlive.ref();
    return this;
  }

  /** Lets the process end although the client is open. */
  unref() {
    this.#keepAlive.unref();
    return this;
  }

  #status() {
    return JSON.parse(this.#native.status());
  }

  async #call(method, check, params, options = {}) {
    checkOptions(options, 'options');
    const operationID = options.operationID ?? newOperationID();
    if (this.#closed !== undefined) throw closedError(operationID);
    check?.(params);
    // awaited here, so that the stack of an error leads back to the caller
    return await this.#caller.call(method, params, { ...options, operationID });
  }

  #callSync(method, check, params) {
    if (this.#closed !== undefined) throw closedError();
    check(params);
    return this.#caller.callSync(method, params);
  }

  static {
    const define = (methods) => {
      for (const [name, value] of Object.entries(methods)) {
        Object.defineProperty(this.prototype, name, { value, writable: true, configurable: true });
      }
    };
    for (const [name, check] of Object.entries(METHODS)) {
      define(check === null
        ? { [name](options) { return this.#call(name, null, undefined, options); } }
        : { [name](params, options) { return this.#call(name, check, params, options); } });
    }
    for (const [name, check] of Object.entries(SYNC_METHODS)) {
      define({ [name](params) { return this.#callSync(name, check, params); } });
    }
  }
}

module.exports = { OpenIM, sdkVersion: binding.sdkVersion() };
