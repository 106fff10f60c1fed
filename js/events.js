'use strict';

const { ListeningEmitter, deliver, surface, watchListeners } = require('./emitter');
const { messageOf } = require('./keyless');

/** Which emitter, beside the client itself, carries an event: the listeners of the seed document. */
const EVENTS = {
  connection: [
    'OnConnecting', 'OnConnectSuccess', 'OnConnectFailed',
    'OnKickedOffline', 'OnUserTokenExpired', 'OnUserTokenInvalid',
  ],
  user: ['OnSelfInfoUpdated', 'OnUserStatusChanged'],
  friendship: [
    'OnFriendApplicationAdded', 'OnFriendApplicationDeleted', 'OnFriendApplicationAccepted', 'OnFriendApplicationRejected',
    'OnFriendAdded', 'OnFriendDeleted', 'OnFriendInfoChanged', 'OnBlackAdded', 'OnBlackDeleted',
  ],
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

/**
 * Lists of messages cross once, without keys; the form for single messages is made here, and only where somebody listens
 * to it.
 */
const SINGLE_FORM = {
  OnRecvNewMessages: 'OnRecvNewMessage',
  OnRecvOfflineNewMessages: 'OnRecvOfflineNewMessage',
  OnRecvOnlineOnlyMessages: 'OnRecvOnlineOnlyMessage',
};

const NOUNS = Object.keys(EVENTS);
const NOUN_OF = new Map(NOUNS.flatMap((noun) => EVENTS[noun].map((event) => [event, noun])));
const NAMES = new Set([...NOUN_OF.keys(), ...CLIENT_EVENTS]);

/**
 * Routes the one ordered stream of a client to the client and to its emitters. It tells when somebody begins to listen:
 * before that the core keeps the events, and nothing comes.
 */
class EventRouter {
  #client;
  #emitters = {};
  #listen;
  #closed = false;

  /**
   * @param {ListeningEmitter} client
   * @param {() => void} listen called once, when the first listener is attached
   */
  constructor(client, listen) {
    this.#client = client;
    this.#listen = listen;
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
    for (const [event, payload] of events) this.#dispatch(event, payload);
  }

  /** From here on no listener is called any more. */
  close() {
    this.#closed = true;
  }

  #attached(event) {
    if (this.#closed || this.#listen === undefined || !NAMES.has(event)) return;
    const listen = this.#listen;
    this.#listen = undefined;
    listen();
  }

  #dispatch(event, payload) {
    const targets = NOUN_OF.has(event) ? [this.#client, this.#emitters[NOUN_OF.get(event)]] : [this.#client];
    const single = SINGLE_FORM[event];
    if (single === undefined) {
      this.#deliver(targets, event, payload === null ? [] : [payload]);
      return;
    }
    const messages = payload.map(messageOf);
    this.#deliver(targets, event, [messages]);
    const listening = targets.filter((target) => target.listenerCount(single) > 0);
    if (listening.length > 0) for (const message of messages) this.#deliver(listening, single, [message]);
  }

  #deliver(targets, event, args) {
    for (const target of targets) {
      if (this.#closed) return;
      deliver(target, event, args, (error) => surface(error, target, this.#client));
    }
  }
}

module.exports = { EVENTS, CLIENT_EVENTS, EventRouter, NOUNS };
