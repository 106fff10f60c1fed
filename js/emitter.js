'use strict';

const { EventEmitter } = require('node:events');

/** Has `listening(event)` called after each listener that is attached to the emitter. */
let watchListeners;

/** An EventEmitter that tells when somebody begins to listen. */
class ListeningEmitter extends EventEmitter {
  #listening = () => {};

  static {
    watchListeners = (emitter, listening) => { emitter.#listening = listening; };
  }

  // `once` and `prependOnceListener` of EventEmitter come through these three
  on(event, listener) {
    super.on(event, listener);
    this.#listening(event);
    return this;
  }

  addListener(event, listener) {
    return this.on(event, listener);
  }

  prependListener(event, listener) {
    super.prependListener(event, listener);
    this.#listening(event);
    return this;
  }
}

/**
 * Calls every listener of an event. Unlike `emit`, a listener that throws, or whose promise rejects, keeps none of the
 * others from being called: what it threw goes to `failed`.
 */
function deliver(emitter, event, args, failed) {
  for (const listener of emitter.rawListeners(event)) {
    try {
      const result = Reflect.apply(listener, emitter, args);
      if (typeof result?.then === 'function') result.then(undefined, failed);
    } catch (error) {
      failed(error);
    }
  }
}

/**
 * Brings a listener's failure to whoever listens to `error`: first on the emitter itself, then on the client. Where
 * nobody does, it is an uncaught exception, as with any EventEmitter.
 */
function surface(error, ...emitters) {
  const listening = emitters.find((emitter) => emitter.listenerCount('error') > 0);
  const uncaught = (failure) => process.nextTick(() => { throw failure; });
  if (listening) deliver(listening, 'error', [error], uncaught);
  else uncaught(error);
}

module.exports = { ListeningEmitter, deliver, surface, watchListeners };
