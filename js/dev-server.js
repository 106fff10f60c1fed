'use strict';

const { binding } = require('./loader');
const { readAnswer, toText } = require('./call');
const { OpenIMError } = require('./errors');
const { Faults } = require('./faults');
const { KeepAlive } = require('./keep-alive');
const { arrayOf, boolean, integer, object, optional, params, string, value } = require('./validate');

const checkConfig = params({
  host: optional(string),
  apiPort: optional(integer),
  wsPort: optional(integer),
  accountPort: optional(integer),
  dataDir: optional(string),
  secret: optional(string),
  adminUserID: optional(string),
  allowRemote: optional(boolean),
  multiLogin: optional(object({ policy: optional(integer), maxNumOneEnd: optional(integer) })),
  maxConnections: optional(integer),
  tokenExpireDays: optional(integer),
  friendVerify: optional(boolean),
  groupReadReceipt: optional(boolean),
});

const checkUsers = value('users', arrayOf(object({
  userID: string,
  nickname: string,
  faceURL: optional(string),
})));

const checkToken = params({ userID: string, platformID: integer });

/** Given to the constructor by `DevServer.start` alone. */
const STARTING = Symbol('starting');

/** An OpenIM server inside this process, for trying, testing and working offline. */
class DevServer {
  #native;
  #faults;
  #config;
  #addresses;
  #keepAlive;
  #stopped;

  constructor(key) {
    if (key !== STARTING) throw new TypeError('a server is made by DevServer.start(config)');
    if (binding.NativeDevServer === undefined) {
      throw new OpenIMError({
        code: 'OPENIM_NOT_SUPPORTED', errCode: 10301, errMsg: 'this build of openim-node has no dev server',
      });
    }
    this.#native = new binding.NativeDevServer();
    this.#faults = new Faults((method, request) => {
      const answer = this.#native[method](toText(request));
      return typeof answer === 'string' ? readAnswer(answer) : answer.then(readAnswer);
    });
  }

  /** Starts a server; without `dataDir` it keeps everything in memory. Ready when the promise resolves. */
  static async start(config = {}) {
    checkConfig(config);
    const server = new DevServer(STARTING);
    await server.#start(config);
    return server;
  }

  /** `{ apiAddr, wsAddr, accountAddr }`; the first two are what `OpenIM.open` takes. */
  get addresses() {
    return { ...this.#addresses };
  }

  /** Levers that make faults, for tests of applications. */
  get faults() {
    return this.#faults;
  }

  /** Stops the server and frees its ports. Idempotent. */
  stop() {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Stops the server and starts it again on the same folder and the same ports. */
  async restart() {
    await this.stop();
    await this.#start(this.#config);
  }

  /** Creates accounts. */
  async registerUsers(users) {
    checkUsers(users);
    return this.#call('registerUsers', users);
  }

  /** A token of a user for a platform; registers the user if she is unknown. */
  async token(userID, platformID) {
    const request = { userID, platformID };
    checkToken(request);
    return this.#call('token', request);
  }

  /** Lets the running server keep the process alive again. */
  ref() {
    this.#keepAlive.ref();
    return this;
  }

  /** Lets the process end although the server runs. */
  unref() {
    this.#keepAlive.unref();
    return this;
  }

  async #start(config) {
    const keepAlive = new KeepAlive();
    try {
      this.#addresses = await this.#call('start', config);
    } catch (error) {
      keepAlive.end();
      throw error;
    }
    this.#keepAlive = keepAlive;
    this.#stopped = undefined;
    // a restart must find the clients' addresses again
    const port = (address) => Number(new URL(address).port);
    const { apiAddr, wsAddr, accountAddr } = this.#addresses;
    this.#config = { ...config, apiPort: port(apiAddr), wsPort: port(wsAddr), accountPort: port(accountAddr) };
  }

  async #stop() {
    try {
      await this.#call('stop');
    } finally {
      this.#keepAlive.end();
    }
  }

  async #call(method, request) {
    return readAnswer(await this.#native[method](toText(request)));
  }
}

module.exports = { DevServer };
