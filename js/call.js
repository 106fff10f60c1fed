'use strict';

const { OpenIMError, abortedError, argsError } = require('./errors');

// no secret, so node:crypto need not be loaded for it
const prefix = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 10).padEnd(8, '0')}`;
let calls = 0;

/** A trace id that is unique enough for logs and costs nothing. */
const newOperationID = () => `${prefix}-${++calls}`;

/** The JSON text of a parameter, `null` where there is none. */
function toText(params) {
  try {
    return JSON.stringify(params) ?? 'null';
  } catch (cause) {
    const error = argsError('params', `cannot be written as JSON: ${cause.message}`);
    error.cause = cause;
    throw error;
  }
}

/**
 * Reads a native answer: `=<event number>,<json>` or `!<error record>`, where the record has the event number too.
 * Answers are text because a rejected native promise could carry nothing but a message.
 */
function parseAnswer(text) {
  if (text[0] === '!') {
    const { event, ...record } = JSON.parse(text.slice(1));
    return { event, record };
  }
  const comma = text.indexOf(',');
  const data = JSON.parse(text.slice(comma + 1));
  return { event: Number(text.slice(1, comma)), data: data === null ? undefined : data };
}

/** The data of an answer that is bound to no event; throws the error of one that failed. */
function readAnswer(text) {
  const { record, data } = parseAnswer(text);
  if (record !== undefined) throw new OpenIMError(record);
  return data;
}

/** Calls of one native client. */
class Caller {
  #native;
  #pump;

  /**
   * @param {object} native the native client
   * @param {import('./pump').EventPump} pump
   */
  constructor(native, pump) {
    this.#native = native;
    this.#pump = pump;
  }

  /** Calls a native method and settles as it does, never before the events that came before its end. */
  async call(method, params, { signal, operationID = newOperationID() } = {}) {
    if (signal?.aborted) throw abortedError(signal.reason, operationID);
    const text = toText(params);
    const answer = signal === undefined
      ? await this.#native[method](text, operationID, 0)
      : await this.#cancellable(method, text, operationID, signal);
    const { event, record, data } = parseAnswer(answer);
    if (!this.#pump.hasReached(event)) await this.#pump.reached(event);
    if (record === undefined) return data;
    throw new OpenIMError(record, record.code === 'OPENIM_ABORTED' ? { cause: signal?.reason } : undefined);
  }

  /** Calls a method that answers at once. */
  callSync(method, params) {
    return readAnswer(this.#native[method](toText(params)));
  }

  async #cancellable(method, text, operationID, signal) {
    const id = this.#native.begin();
    const cancel = () => this.#native.cancel(id);
    signal.addEventListener('abort', cancel, { once: true });
    try {
      return await this.#native[method](text, operationID, id);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }
}

module.exports = { Caller, newOperationID, readAnswer, toText };
