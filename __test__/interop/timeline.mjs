// What a client told, with the time of it, and waiting for more.

/** How long an event that must come may take. */
const PATIENCE = 30_000;

export class Timeline {
  #events = [];
  #watchers = new Set();

  add(event, data) {
    this.#events.push({ event, data });
    for (const watcher of this.#watchers) watcher();
  }

  /** How many events were told; a mark to wait from. */
  get length() {
    return this.#events.length;
  }

  /** All events of these names from a mark on. */
  of(names, from = 0) {
    return this.#events.slice(from).filter(({ event }) => names.includes(event));
  }

  /** The first value other than undefined or false that `look` gives for an event of these names. */
  wait(names, look = () => true, from = 0) {
    const find = () => {
      for (const { data } of this.of(names, from)) {
        const found = look(data);
        if (found !== undefined && found !== false) return { found };
      }
      return undefined;
    };
    return new Promise((resolve, reject) => {
      const watcher = () => {
        const hit = find();
        if (hit === undefined) return;
        this.#watchers.delete(watcher);
        clearTimeout(timer);
        resolve(hit.found);
      };
      const timer = setTimeout(() => {
        this.#watchers.delete(watcher);
        const last = this.#events.slice(-6).map(({ event }) => event).join(', ');
        reject(new Error(`no ${names.join(' or ')} within ${PATIENCE} ms; the last events: ${last}`));
      }, PATIENCE);
      this.#watchers.add(watcher);
      watcher();
    });
  }
}
