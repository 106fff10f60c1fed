'use strict';

/** The longest delay that a timer takes, about 25 days. */
const FAR = 2 ** 31 - 1;

/**
 * Keeps the process alive while something native is open. Native handles are weak, so that they never hold a process
 * by themselves: this timer does, and only it, which makes `ref()`, `unref()` and a clean exit plain.
 */
class KeepAlive {
  #timer = setInterval(() => {}, FAR);

  ref() {
    this.#timer.ref();
  }

  unref() {
    this.#timer.unref();
  }

  end() {
    clearInterval(this.#timer);
  }
}

module.exports = { KeepAlive };
