'use strict';

const { toText } = require('../js/call');
const { OpenIMError, abortedError, argsError } = require('../js/errors');
const refusals = require('../js/refusals');

/** What the header takes. */
const PRINTABLE = /^[\x21-\x7e]+$/;

/** The server's words for a body that it cannot read end in a call stack (http.md 1.4). */
const CALL_STACK = ' | -> ';

function refusalError({ errCode, errMsg = '', errDlt = '' }, operationID) {
  const { code, retryable } = refusals[errCode] ?? { code: 'OPENIM_SERVER', retryable: false };
  return new OpenIMError({ code, errCode, errMsg: errMsg.split(CALL_STACK)[0], errDlt, operationID, retryable });
}

function networkError(path, cause, operationID) {
  let reason = cause;
  while (reason.cause instanceof Error) reason = reason.cause;
  // an attempt at several addresses has its reason in a code alone
  const errMsg = `${path}: ${reason.message || reason.code}`;
  return new OpenIMError({ code: 'OPENIM_NETWORK', errCode: 10000, errMsg, operationID, retryable: true }, { cause });
}

function timeoutError(path, timeout, operationID) {
  const errMsg = `no answer to ${path} within ${timeout} ms`;
  return new OpenIMError({ code: 'OPENIM_TIMEOUT', errCode: 10001, errMsg, operationID, retryable: true });
}

/** The envelope in a body, or undefined if there is none. */
function readEnvelope(text) {
  try {
    const envelope = JSON.parse(text);
    return Number.isInteger(envelope?.errCode) ? envelope : undefined;
  } catch {
    return undefined;
  }
}

function noEnvelopeError(path, status, operationID) {
  if (status === 404) {
    const errMsg = `this server has no ${path}`;
    return new OpenIMError({ code: 'OPENIM_NOT_SUPPORTED', errCode: 10301, errMsg, operationID });
  }
  const errMsg = `${path} did not answer with an envelope (HTTP status ${status})`;
  return new OpenIMError({ code: 'OPENIM_PROTOCOL', errCode: 10202, errMsg, operationID, retryable: true });
}

/** Speaks to the REST API of a server: POST, headers, envelope (http.md section 1). */
class Rest {
  #base;
  #timeout;

  /**
   * @param {string} apiAddr the server's REST address; may have a path
   * @param {number} timeout how long an answer may take, ms
   */
  constructor(apiAddr, timeout) {
    let url;
    try {
      url = new URL(apiAddr);
    } catch {
      throw argsError('apiAddr', 'must be an address such as http://127.0.0.1:10002');
    }
    if (url.protocol !== 'http:' && url.protocol !== 'https:') {
      throw argsError('apiAddr', 'must begin with http:// or https://');
    }
    // paths begin with a slash
    this.#base = apiAddr.replace(/\/+$/, '');
    this.#timeout = timeout;
  }

  /**
   * Calls `path` and resolves with the answer's `data`, an empty object where it has none. The envelope decides; the
   * HTTP status counts only where there is no envelope.
   */
  async post(path, body, { token, signal, operationID }) {
    if (!PRINTABLE.test(operationID)) {
      throw argsError('options.operationID', 'must be printable ASCII without spaces');
    }
    const { status, text } = await this.#exchange(path, toText(body), { token, signal, operationID });
    const envelope = readEnvelope(text);
    if (envelope === undefined) throw noEnvelopeError(path, status, operationID);
    if (envelope.errCode !== 0) throw refusalError(envelope, operationID);
    return envelope.data ?? {};
  }

  async #exchange(path, body, { token, signal, operationID }) {
    const stop = new AbortController();
    const abort = () => stop.abort();
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      abort();
    }, this.#timeout);
    signal?.addEventListener('abort', abort, { once: true });
    const headers = { 'content-type': 'application/json', operationID, ...(token === undefined ? {} : { token }) };
    try {
      // a redirect would turn the POST into a GET, or carry the token elsewhere
      const request = { method: 'POST', headers, body, signal: stop.signal, redirect: 'error' };
      const response = await fetch(this.#base + path, request);
      return { status: response.status, text: await response.text() };
    } catch (cause) {
      if (signal?.aborted) throw abortedError(signal.reason, operationID);
      throw timedOut ? timeoutError(path, this.#timeout, operationID) : networkError(path, cause, operationID);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    }
  }
}

module.exports = { Rest };
