'use strict';

const { ListeningEmitter, deliver, surface, watchListeners } = require('./emitter');

/** Which emitter, beside the client itself, carries an event: the listeners of the seed document. */
const EVENTS = {
  connection: [
    'OnConnecting', 'OnConnectSuccess', 'OnConnectFailed',
    'OnKickedOffline', 'OnUserTokenExpired', 'OnUserTokenInvalid',
  ],
  user: ['OnSelfInfoUpdated'],
  friendship: [],
  group: [],
  conversation: [
    'OnSyncServerStart', 'OnSyncServerProgress', 'OnSyncServerFinish', 'OnSyncServerFailed',
    'OnNewConversation', 'OnConversationChanged', 'OnTotalUnreadMessageCountChanged',
  ],
  message: [
    'OnRecvNewMessages', 'OnRecvNewMessage', 'OnRecvOfflineNewMessages', 'OnRecvOfflineNewMessage',
    'OnRecvOnlineOnlyMessages', 'OnRecvOnlineOnlyMessage', 'OnRecvC2CReadReceipt', 'OnMessageSendStateChanged',
  ],
  signaling: [],
};

/** Events of the client alone. */
const CLIENT_EVENTS = ['OnEventsDropped', 'OnDatabaseReset'];

/** Lists cross once; the form for single messages is made here, and only where somebody listens to it. */
const SINGLE_FORM = {
  OnRecvNewMessages: 'OnRecvNewMessage',
  OnRecvOfflineNewMessages: 'OnRecvOfflineNewMessage',
  OnRecvOnlineOnlyMessages: 'OnRecvOnlineOnlyMessage',
};

const NOUNS = Object.keys(EVENTS);
const NOUN_OF = new Map(NOUNS.flatMap((noun) => EVENTS[noun].map((event) => [event, noun])));
const NAMES = new Set([...NOUN_OF.keys(), ...CLIENT_EVENTS]);

/** How many events wait for the first listener; then the oldest go. */
const MAX_EARLY_EVENTS = 1000;

/**
 * Routes the one ordered stream of a client to the client and to its emitters. What comes before anybody listens is
 * kept and delivered, in order, on the turn of the loop after the first listener was attached.
 */
class EventRouter {
  #client;
  #emitters = {};
  #listening = false;
  #early = [];
  #earlyDropped = 0;
  #closed = false;

  /** @param {ListeningEmitter} client */
  constructor(client) {
    this.#client = client;
    for (const noun of NOUNS) this.#emitters[noun] = new ListeningEmitter();
    for (const emitter of [client, ...Object.values(this.#emitters)]) {
      watchListeners(emitter, (event) => this.#attached(event));
    }
  }

  /** The emitters by noun. */
  get emitters() {
    return this.#emitters;
  }

  /** Takes a batch of `[event, payload]`. Never throws: listeners' failures surface elsewhere. */
  receive(events) {
    if (this.#closed) return;
    if (!this.#listening) return this.#keep(events);
    this.#flush();
    for (const [event, payload] of events) this.#dispatch(event, payload);
  }

  /** From here on no listener is called any more. */
  close() {
    this.#closed = true;
    this.#early = [];
  }

  #keep(events) {
    this.#early.push(...events);
    const excess = this.#early.length - MAX_EARLY_EVENTS;
    if (excess > 0) {
      this.#early.splice(0, excess);
      this.#earlyDropped += excess;
    }
  }

  #attached(event) {
    if (this.#listening || !NAMES.has(event)) return;
    this.#listening = true;
    if (this.#early.length > 0) setImmediate(() => this.#flush());
  }

  #flush() {
    const early = this.#early;
    const count = this.#earlyDropped;
    this.#early = [];
    this.#earlyDropped = 0;
    if (count > 0) this.#dispatch('OnEventsDropped', { count });
    for (const [event, payload] of early) this.#dispatch(event, payload);
  }

  #dispatch(event, payload) {
    const targets = NOUN_OF.has(event) ? [this.#client, this.#emitters[NOUN_OF.get(event)]] : [this.#client];
    this.#deliver(targets, event, payload === null ? [] : [payload]);
    const single = SINGLE_FORM[event];
    if (single === undefined) return;
    const listening = targets.filter((target) => target.listenerCount(single) > 0);
    if (listening.length > 0) for (const item of payload) this.#deliver(listening, single, [item]);
  }

  #deliver(targets, event, args) {
    for (const target of targets) {
      if (this.#closed) return;
      deliver(target, event, args, (error) => surface(error, target, this.#client));
    }
  }
}

module.exports = { EVENTS, CLIENT_EVENTS, EventRouter, MAX_EARLY_EVENTS, NOUNS };
