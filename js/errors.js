'use strict';

/**
 * What an error is made of, as it crosses from the core.
 *
 * @typedef {object} ErrorRecord
 * @property {string} code
 * @property {number} errCode
 * @property {string} errMsg
 * @property {string} [errDlt]
 * @property {string} [operationID]
 * @property {boolean} [retryable]
 * @property {string} [field]
 */

/**
 * A failure of this package. `code` is stable and made for `switch`; `errCode` is OpenIM's number (below 10000 the
 * server's own); `retryable` says whether the same call can succeed later without changing anything.
 */
class OpenIMError extends Error {
  /**
   * @param {ErrorRecord} record
   * @param {{cause?: unknown}} [options]
   */
  constructor(record, options) {
    super(record.errDlt ? `${record.errMsg}: ${record.errDlt}` : record.errMsg, options);
    this.code = record.code;
    this.errCode = record.errCode;
    this.errMsg = record.errMsg;
    if (record.errDlt !== undefined) this.errDlt = record.errDlt;
    this.operationID = record.operationID ?? '';
    this.retryable = record.retryable ?? false;
    if (record.field !== undefined) this.field = record.field;
  }

  /** Plain data: structured clone (workers, Electron) keeps only message and stack of an Error. */
  toJSON() {
    const { name, code, errCode, errMsg, operationID, retryable } = this;
    const given = ['errDlt', 'field'].filter((key) => this[key] !== undefined).map((key) => [key, this[key]]);
    return { name, code, errCode, errMsg, operationID, retryable, ...Object.fromEntries(given) };
  }

  /** The error of a record made by `toJSON()`. */
  static from(record) {
    return record instanceof OpenIMError ? record : new OpenIMError(record);
  }
}
Object.defineProperty(OpenIMError.prototype, 'name', { value: 'OpenIMError', writable: true, configurable: true });

/** A parameter has the wrong type; `field` names it as the caller wrote it. */
function argsError(field, reason) {
  return new OpenIMError({ code: 'OPENIM_ARGS', errCode: 10002, errMsg: `${field} ${reason}`, field });
}

function closedError(operationID) {
  return new OpenIMError({ code: 'OPENIM_CLOSED', errCode: 10008, errMsg: 'the client is closed', operationID });
}

function abortedError(reason, operationID) {
  const record = { code: 'OPENIM_ABORTED', errCode: 10003, errMsg: 'the operation was aborted', operationID };
  return new OpenIMError(record, { cause: reason });
}

module.exports = { OpenIMError, abortedError, argsError, closedError };
