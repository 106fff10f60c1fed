'use strict';

const { newOperationID } = require('../js/call');
const { abortedError, argsError } = require('../js/errors');
const {
  integer, nonEmpty, object, optional, options: checkOptions, params, positive, value,
} = require('../js/validate');
const { METHODS } = require('./methods');
const { Rest } = require('./rest');

const checkConfig = params({
  apiAddr: nonEmpty,
  secret: nonEmpty,
  adminUserID: optional(nonEmpty),
  timeout: optional(positive),
});

const checkPath = value('path', nonEmpty);
const checkBody = value('body', object({}));
const checkSendOperationID = value('operationID', nonEmpty);

/** The longest delay that a timer takes, ms. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/** A token is renewed this long before it expires, so that no request carries one that expires on its way. */
const RENEW_BEFORE_MS = 60_000;

/** Refusals of the token itself (http.md 5.5): nothing of the call was done. */
const isTokenRefusal = ({ errCode }) => errCode >= 1501 && errCode <= 1507;

/** Settles as `promise` does, or rejects when the signal is aborted. */
async function unlessAborted(promise, { signal, operationID }) {
  if (signal === undefined) return promise;
  let abort;
  const aborted = new Promise((resolve, reject) => {
    abort = () => reject(abortedError(signal.reason, operationID));
    signal.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Given to the constructor by `Admin.open` alone. */
const OPENING = Symbol('opening');

/** What an application's back-end asks of a server, in the administrator's name. */
class Admin {
  #rest;
  #secret;
  #adminUserID;
  /** The login that brought or will bring the token; all calls share it. */
  #login;

  constructor(key, { apiAddr, secret, adminUserID = 'imAdmin', timeout = 10_000 }) {
    if (key !== OPENING) throw new TypeError('an Admin is made by Admin.open(config)');
    this.#rest = new Rest(apiAddr, timeout);
    this.#secret = secret;
    this.#adminUserID = adminUserID;
  }

  /** Checks the configuration. Connects nothing: the first call does. */
  static async open(config, options = {}) {
    checkConfig(config);
    if (config.timeout > MAX_TIMEOUT) throw argsError('timeout', `must be at most ${MAX_TIMEOUT}`);
    Admin.#prepare(options);
    return new Admin(OPENING, config);
  }

  /** The administrator's token, a new one if there is none or it is about to expire. */
  async getAdminToken(options) {
    const prepared = Admin.#prepare(options);
    return unlessAborted(this.#loggedIn(prepared).token, prepared);
  }

  /** How the send that carried this operation id ended: 0 unknown, 1 sending, 2 sent, 3 failed. */
  async getSendStatus(operationID, options) {
    checkSendOperationID(operationID);
    const prepared = { ...Admin.#prepare(options), operationID };
    return (await this.#authorized('/msg/check_msg_is_send_success', {}, prepared)).status;
  }

  /** Calls any path of the REST API and resolves with the `data` of the answer as it is. */
  async post(path, body = {}, options = {}) {
    checkPath(path);
    if (!path.startsWith('/')) throw argsError('path', 'must begin with /');
    checkBody(body);
    return this.#authorized(path, body, Admin.#prepare(options));
  }

  async #call({ path, check, open, body = (given) => given, result }, given, options) {
    const prepared = Admin.#prepare(options);
    check?.(given);
    const request = check === null ? {} : body(given);
    // awaited here, so that the stack of an error leads back to the caller
    const data = open
      ? await this.#rest.post(path, request, prepared)
      : await this.#authorized(path, request, prepared);
    return result(data);
  }

  /** Calls with the token; with a new one if the server does not take that any more. */
  async #authorized(path, body, options) {
    const login = this.#loggedIn(options);
    const token = await unlessAborted(login.token, options);
    try {
      return await this.#rest.post(path, body, { ...options, token });
    } catch (error) {
      if (!isTokenRefusal(error)) throw error;
      // somebody else's call may have brought a new one already
      if (this.#login === login) this.#login = undefined;
    }
    const renewed = await unlessAborted(this.#loggedIn(options).token, options);
    return this.#rest.post(path, body, { ...options, token: renewed });
  }

  /** The running or finished login; a new one if there is none or its token is about to expire. */
  #loggedIn({ operationID }) {
    if (this.#login === undefined || this.#login.renewAt <= performance.now()) this.#login = this.#logIn(operationID);
    return this.#login;
  }

  #logIn(operationID) {
    const began = performance.now();
    const credentials = { secret: this.#secret, userID: this.#adminUserID };
    // not the caller's signal: others may wait for the same login
    const answer = this.#rest.post('/auth/get_admin_token', credentials, { operationID });
    const login = { token: answer.then(({ token }) => token), renewAt: Infinity };
    answer.then(
      ({ expireTimeSeconds }) => { login.renewAt = began + expireTimeSeconds * 1000 - RENEW_BEFORE_MS; },
      () => { if (this.#login === login) this.#login = undefined; },
    );
    return login;
  }

  /** The options of a call, checked, with an operation id. */
  static #prepare(options = {}) {
    checkOptions(options, 'options');
    const { signal, operationID = newOperationID() } = options;
    if (signal?.aborted) throw abortedError(signal.reason, operationID);
    return { signal, operationID };
  }

  static {
    for (const [name, method] of Object.entries(METHODS)) {
      const call = method.check === null
        ? { [name](options) { return this.#call(method, undefined, options); } }
        : { [name](given, options) { return this.#call(method, given, options); } };
      Object.defineProperty(this.prototype, name, { value: call[name], writable: true, configurable: true });
    }
  }
}

module.exports = { Admin };
