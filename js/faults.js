'use strict';

const { argsError } = require('./errors');
const { integer, oneOf, optional, params, string } = require('./validate');

const within = (low, high) => (value, field) => {
  integer(value, field);
  if (value < low || value > high) throw argsError(field, `must be ${low} to ${high}`);
};

const int32 = within(-(2 ** 31), 2 ** 31 - 1);
const uint32 = within(0, 2 ** 32 - 1);
const uint16 = within(0, 2 ** 16 - 1);

const MALFORMED = ['truncated', 'invalidUtf8', 'garbage', 'gzipBomb', 'oversized'];

const count = optional(uint32);
const platformID = optional(int32);
const who = { userID: optional(string), platformID, count };
const asked = { ...who, operation: optional(int32), path: optional(string) };
const refused = { code: int32, message: optional(string) };
const pushed = {
  to: optional(string),
  platformID,
  operation: optional(int32),
  contentType: optional(int32),
  conversationID: optional(string),
  count,
};
const stored = {
  userID: optional(string), contentType: optional(int32), conversationID: optional(string), count,
};

/** Where each lever acts, what it does, and the shape of its parameters. */
const LEVERS = {
  dropPushes: { at: 'push', effect: 'drop', fields: pushed },
  delayPushes: { at: 'push', effect: 'delay', fields: { ...pushed, ms: uint32 } },
  duplicatePushes: { at: 'push', effect: 'repeat', fields: pushed },
  reorderPushes: { at: 'push', effect: 'reverse', fields: { ...pushed, count: uint32 } },
  loseEarlyPushes: { at: 'push', effect: 'drop', fields: { ...pushed, youngerThanMs: uint32 } },
  leaveGap: { at: 'push', effect: 'drop', fields: { ...pushed, count: uint32 }, fixed: { stored: true } },
  dropRequests: { at: 'request', effect: 'drop', fields: asked },
  refuseRequests: { at: 'request', effect: 'refuse', fields: { ...asked, ...refused } },
  dropAnswers: { at: 'answer', effect: 'drop', fields: asked },
  delayAnswers: { at: 'answer', effect: 'delay', fields: { ...asked, ms: uint32 } },
  repeatAnswers: { at: 'answer', effect: 'repeat', fields: asked },
  refuseHandshakes: { at: 'handshake', effect: 'refuse', fields: { ...who, ...refused } },
  delayStore: { at: 'store', effect: 'delay', fields: { ...stored, ms: uint32 } },
  slowDisk: { at: 'disk', effect: 'delay', fields: { count, ms: uint32 } },
};

/** Refuses what it does not know: a misspelt scope would make a lever act on everything. */
function check(given, fields) {
  params(fields)(given);
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(fields, name)) throw argsError(name, 'is not known here');
  }
}

/** A lever that was set. */
class Fault {
  #native;
  #id;
  #times;

  constructor(native, name, id, times) {
    this.#native = native;
    this.#id = id;
    this.#times = times;
    /** The method that set it. */
    this.name = name;
  }

  /** How often it has acted. */
  get hits() {
    return this.#native('lever', { id: this.#id }).hits;
  }

  /** How often it will act; `Infinity` until it is cleared, 0 when it is over. */
  get left() {
    return this.#native('lever', { id: this.#id }).left ?? Infinity;
  }

  /** Resolves with true when it has acted so often, with false when it is over before. */
  async acted(times = this.#times) {
    integer(times, 'times');
    if (times < 1) throw argsError('times', 'must be at least 1');
    return this.#native('acted', { id: this.#id, times });
  }

  /** Takes it away. What it held back goes on. */
  clear() {
    this.#native('clearLevers', { id: this.#id });
  }
}

/** The levers of a dev server. */
class Faults {
  #native;
  #faults = new Map();

  /** @param {(method: string, request?: object) => any} native calls the native server and reads its answer */
  constructor(native) {
    this.#native = native;
  }

  dropPushes(scope = {}) {
    return this.#set('dropPushes', scope);
  }

  delayPushes(scope) {
    return this.#set('delayPushes', scope);
  }

  duplicatePushes(scope = {}) {
    return this.#set('duplicatePushes', scope);
  }

  reorderPushes(scope) {
    return this.#set('reorderPushes', scope);
  }

  loseEarlyPushes(ms, scope = {}) {
    uint32(ms, 'ms');
    check(scope, pushed);
    return this.#set('loseEarlyPushes', { ...scope, youngerThanMs: ms });
  }

  leaveGap(scope) {
    return this.#set('leaveGap', scope);
  }

  dropRequests(scope = {}) {
    return this.#set('dropRequests', scope);
  }

  refuseRequests(scope) {
    return this.#set('refuseRequests', scope);
  }

  dropAnswers(scope = {}) {
    return this.#set('dropAnswers', scope);
  }

  delayAnswers(scope) {
    return this.#set('delayAnswers', scope);
  }

  repeatAnswers(scope = {}) {
    return this.#set('repeatAnswers', scope);
  }

  refuseHandshakes(scope) {
    return this.#set('refuseHandshakes', scope);
  }

  delayStore(ms, scope = {}) {
    check(scope, stored);
    return this.#set('delayStore', { ...scope, ms });
  }

  slowDisk(ms, scope = {}) {
    check(scope, { count });
    return this.#set('slowDisk', { ...scope, ms });
  }

  makeHole(hole) {
    check(hole, { conversationID: string, count: integer });
    return this.#native('makeHole', hole);
  }

  shiftClock(ms) {
    integer(ms, 'ms');
    this.#native('shiftClock', ms);
  }

  kick(connections = {}) {
    return this.#disturb('kick', connections);
  }

  closeConnections(connections = {}) {
    return this.#disturb('close', connections, { code: optional(uint16), reason: optional(string) });
  }

  stall(connections = {}) {
    return this.#disturb('stall', connections);
  }

  resume(connections = {}) {
    return this.#disturb('resume', connections);
  }

  answerUnknown(answer = {}) {
    check(answer, { userID: optional(string), platformID, operation: optional(int32) });
    return this.#native('disturb', { operation: 1001, ...answer, what: 'send', kind: 'unknownAnswer' });
  }

  sendFrame(frame) {
    const fields = {
      text: optional(string), binary: optional(bytes), malformed: optional(oneOf(...MALFORMED)), bytes: optional(uint32),
    };
    check(frame, { userID: optional(string), platformID, ...fields });
    const { text, binary, malformed, bytes: length, ...rest } = frame;
    const given = [text, binary, malformed].filter((content) => content !== undefined);
    if (given.length !== 1) throw argsError('params', 'must have one of text, binary and malformed');
    if ((malformed === 'oversized') !== (length !== undefined)) {
      throw argsError('bytes', 'belongs to an oversized frame, and must be there');
    }
    return this.#native('disturb', { what: 'send', ...rest, ...content({ text, binary, malformed, length }) });
  }

  /** The levers that will act, oldest first. */
  pending() {
    return this.#native('levers').map(({ id }) => this.#faults.get(id));
  }

  /** Undoes what can be undone. */
  clear() {
    this.#native('clearLevers', {});
  }

  #set(name, scope) {
    const { at, effect, fields, fixed } = LEVERS[name];
    check(scope, fields);
    const { to, ...rest } = scope;
    const id = this.#native('setLever', { ...rest, ...(to === undefined ? {} : { userID: to }), ...fixed, at, effect });
    const fault = new Fault(this.#native, name, id, scope.count ?? 1);
    this.#faults.set(id, fault);
    return fault;
  }

  #disturb(what, connections, fields = {}) {
    check(connections, { userID: optional(string), platformID, ...fields });
    return this.#native('disturb', { ...connections, what });
  }
}

function bytes(value, field) {
  if (!(value instanceof Uint8Array)) throw argsError(field, 'must be a Uint8Array');
}

/** The frame as the server takes it. */
function content({ text, binary, malformed, length }) {
  if (text !== undefined) return { kind: 'text', text };
  if (binary !== undefined) {
    const { buffer, byteOffset, byteLength } = binary;
    return { kind: 'binary', base64: Buffer.from(buffer, byteOffset, byteLength).toString('base64') };
  }
  return { kind: malformed, ...(length === undefined ? {} : { bytes: length }) };
}

module.exports = { Faults };
