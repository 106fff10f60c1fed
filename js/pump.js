'use strict';

/**
 * The receiving end of the native event stream. One batch is in flight at a time; it is answered with the one credit
 * from `setImmediate`, so timers, I/O and input get their turn between two batches however many events wait.
 *
 * It is also the barrier between promises and events, which reach JavaScript through different queues: a call's answer
 * carries the number of the last event that the call caused, and the caller sees the answer only after a batch up to
 * that number was dispatched. So `await sendMessage()` never overtakes the events of the message.
 */
class EventPump {
  #dispatch;
  #credit;
  #dispatched = 0;
  #listening = false;
  #closed = false;
  /** @type {{number: number, release: () => void}[]} ascending by number */
  #waiting = [];

  /**
   * @param {(events: [string, unknown][]) => void} dispatch
   * @param {() => void} credit returns the credit to the native side
   */
  constructor(dispatch, credit) {
    this.#dispatch = dispatch;
    this.#credit = credit;
  }

  /** Takes a batch as the native side sends it: JSON text and the number of its last event. */
  receive(text, last) {
    try {
      this.#dispatch(JSON.parse(text));
    } finally {
      this.#release(last);
      // after close too: the native side ends only once it got rid of what it had queued
      setImmediate(this.#credit);
    }
  }

  /** Somebody listens: from now on events come. What the core keeps until then counts as dispatched. */
  listen() {
    this.#listening = true;
  }

  /** Whether the event of this number was dispatched. */
  hasReached(number) {
    return this.#closed || !this.#listening || number <= this.#dispatched;
  }

  /** Resolves once the event of this number was dispatched, or the pump is closed. */
  reached(number) {
    if (this.hasReached(number)) return Promise.resolve();
    return new Promise((release) => {
      // answers arrive nearly in order, so the place is at or near the end
      let at = this.#waiting.length;
      while (at > 0 && this.#waiting[at - 1].number > number) at--;
      this.#waiting.splice(at, 0, { number, release });
    });
  }

  /** Releases whoever waits: no further batch comes. */
  close() {
    this.#closed = true;
    this.#release(Infinity);
  }

  #release(last) {
    this.#dispatched = Math.max(this.#dispatched, last);
    const count = this.#waiting.findIndex(({ number }) => number > this.#dispatched);
    const ready = this.#waiting.splice(0, count === -1 ? this.#waiting.length : count);
    for (const { release } of ready) release();
  }
}

module.exports = { EventPump };
