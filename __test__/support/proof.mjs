// What a suite proves: which test called which method and received which event. Written where PARITY_PROOF names a
// folder, one line each, `spec<tab>test<tab>function|callback<tab>name`; `cargo xtask parity --proof` reads them.
import { appendFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import events from '../../js/events.js';
import methods from '../../js/methods.js';

const folder = process.env.PARITY_PROOF;
const STATUS = ['getLoginStatus', 'getLoginUserID', 'getConnectionStatus', 'getSyncStatus', 'stats', 'capabilities'];
const NAMES = [...Object.keys(methods.METHODS), ...Object.keys(methods.SYNC_METHODS), ...STATUS, 'close', 'ref', 'unref'];

/** What one test did. */
export class Proof {
  #test;
  #lines = new Set();

  constructor(test) {
    this.#test = test.replaceAll('\t', ' ');
  }

  add(kind, name) {
    this.#lines.add(`${kind}\t${name}`);
  }

  /** Notes what is called on a client from now on, once it succeeds. */
  watch(client) {
    if (folder === undefined) return;
    this.add('function', 'OpenIM.open');
    for (const name of NAMES) {
      const method = client[name];
      client[name] = (...args) => {
        const done = () => this.add('function', name);
        const result = method.apply(client, args);
        if (typeof result?.then === 'function') result.then(done, () => {});
        else done();
        return result;
      };
    }
    for (const noun of events.NOUNS) {
      const emitter = client[noun];
      const { on } = emitter;
      emitter.on = (...args) => {
        this.add('function', `client.${noun}`);
        return on.apply(emitter, args);
      };
    }
  }

  /** Notes what a recording heard. */
  heard(names) {
    for (const name of names) this.add('callback', name);
  }

  write() {
    if (folder === undefined) return;
    const spec = basename(process.argv[1]);
    const lines = [...this.#lines].map((line) => `${spec}\t${this.#test}\t${line}\n`);
    appendFileSync(join(folder, `${spec}-${process.pid}.tsv`), lines.join(''));
  }
}
