// What a client tells, in order, and waiting for it.
import events from '../../js/events.js';

const NAMES = [...Object.values(events.EVENTS).flat(), ...events.CLIENT_EVENTS];

/** How long an event that must come may take. */
const PATIENCE = 20_000;

/** Records every event of a client, in order, from now on. */
export class Recording {
  /** @type {[string, unknown][]} */
  events = [];
  /** The names of all of them, also of what was forgotten since. */
  seen = new Set();
  #watchers = new Set();

  /** @param hears called with the name and payload of each event, before anybody who waits for it */
  constructor(client, names = NAMES, hears = () => {}) {
    for (const name of names) {
      client.on(name, (payload) => {
        this.events.push([name, payload]);
        this.seen.add(name);
        hears(name, payload);
        for (const watcher of this.#watchers) watcher();
      });
    }
  }

  get names() {
    return this.events.map(([name]) => name);
  }

  /** Payloads of one kind of event. */
  of(name) {
    return this.events.filter(([event]) => event === name).map(([, payload]) => payload);
  }

  /** Forgets what was recorded. */
  clear() {
    this.events = [];
  }

  /** The payload of the first recorded event of that name that `where` holds for, heard already or still to come. */
  heard(name, where = () => true) {
    return this.when(`${name}`, () => this.events.find(([event, payload]) => event === name && where(payload)))
      .then(([, payload]) => payload);
  }

  /** All messages that arrived, once there are at least `count`. */
  messages(count) {
    return this.when(`${count} messages`, () => {
      const messages = this.of('OnRecvNewMessages').flat();
      return messages.length >= count ? messages : undefined;
    });
  }

  /** The first value that is not undefined or false which `look` gives, now or after an event to come. */
  when(what, look) {
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        this.#watchers.delete(watcher);
        clearTimeout(timer);
        settle(value);
      };
      const watcher = () => {
        const found = look();
        if (found !== undefined && found !== false) end(resolve, found);
      };
      const timer = setTimeout(
        () => end(reject, new Error(`no ${what} within ${PATIENCE} ms; heard ${this.names.join(', ') || 'nothing'}`)),
        PATIENCE,
      );
      this.#watchers.add(watcher);
      watcher();
    });
  }
}

/** Waits until `condition` holds; for states that no event tells of. */
export async function until(what, condition, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${patience} ms: ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 10); });
  }
}
