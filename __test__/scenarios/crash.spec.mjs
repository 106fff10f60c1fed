// A client is killed with SIGKILL at points that a seed draws, again and again, while it sends and receives. Afterwards
// nothing is lost, doubled, or stuck.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OpenIM, Platform } from 'openim-node';
import { drawSeed, random } from '../support/random.mjs';
import { until } from '../support/recording.mjs';
import { needsFaultLever } from '../support/servers.mjs';
import { World, say, textOf } from '../support/world.mjs';

const KILLS = process.env.SOAK ? 200 : 15;
const CHILD = fileURLToPath(new URL('../support/crash-child.mjs', import.meta.url));
const SEND = 1003;

/** One life of the client; `on(what, told)` is called for each line that it says. */
class Life {
  #process;
  #ended;

  constructor(config, told) {
    this.#process = spawn(process.execPath, [CHILD, JSON.stringify(config)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#ended = new Promise((resolve) => { this.#process.once('close', resolve); });
    createInterface({ input: this.#process.stdout }).on('line', (line) => told(JSON.parse(line)));
  }

  kill() {
    this.#process.kill('SIGKILL');
    return this.#ended;
  }

  get ended() {
    return this.#ended;
  }
}

/** Where a life ends. Each waits for its point and then returns. */
const POINTS = {
  /** At any moment, login and sync included. */
  anywhere: async ({ next }) => { await new Promise((resolve) => { setTimeout(resolve, 60 + next(500)); }); },
  /** As a send is called: before or while its row is written. */
  called: async ({ next, heard }) => { await heard('calling', 1 + next(6)); },
  /** With the row written and no connection to send it over. */
  written: async ({ next, heard, server, userID }) => {
    await heard('calling', 1 + next(4));
    const refused = server.faults.refuseHandshakes({ userID, code: 1601 });
    server.faults.closeConnections({ userID });
    // a life that waits for its answers calls nothing more
    await Promise.race([heard('calling', 1), new Promise((resolve) => { setTimeout(resolve, 300); })]);
    await new Promise((resolve) => { setTimeout(resolve, next(40)); });
    refused.clear();
  },
  /** With the request at the server and its answer lost. */
  left: async ({ server, userID, heard }) => {
    await heard('ready', 1);
    const lost = server.faults.dropAnswers({ userID, operation: SEND, count: 1 });
    await lost.acted();
  },
  /** With the answer on its way or just there: before, while or after it is stored. */
  acknowledged: async ({ next, heard }) => { await heard('accepted', 1 + next(3)); },
};

/** Everything of a conversation, oldest first. */
async function wholeHistory(client, conversationID) {
  const messages = [];
  let startClientMsgID = '';
  for (;;) {
    const page = await client.getAdvancedHistoryMessageList({ conversationID, startClientMsgID, count: 100 });
    messages.unshift(...page.messageList);
    if (page.isEnd || page.messageList.length === 0) return messages;
    startClientMsgID = page.messageList[0].clientMsgID;
  }
}

for (const [name, storeDelay] of [['a server that stores at once', 0], ['a server that stores 300 ms after its answer', 300]]) {
  test(`${KILLS} kills on ${name}`, { skip: needsFaultLever }, async (t) => {
    const seed = drawSeed();
    t.diagnostic(`SEED=${seed}`);
    const draw = random(seed);
    const world = await World.start(t);
    const { server } = world;
    const bob = await world.enter('bob');
    const [userID, conversationID] = [world.id('alice'), world.chat('alice', 'bob')];
    const token = await world.token('alice');
    const config = { ...server.addresses, platformID: Platform.Linux, dataDir: world.folder() };
    if (storeDelay > 0) server.faults.delayStore(storeDelay, { userID });

    const accepted = new Set();
    const fromBob = [];
    let doubled = 0;
    const told = new Set();
    /** Counts what the present life says and wakes whoever waits for it. */
    const listen = () => {
      const counts = {};
      const waiting = [];
      return {
        told: (line) => {
          const [[kind, value]] = Object.entries(line);
          counts[kind] = (counts[kind] ?? 0) + 1;
          if (kind === 'accepted') accepted.add(value);
          for (const id of kind === 'received' ? value : []) {
            if (told.has(id)) doubled += 1;
            told.add(id);
          }
          for (const { what, count, resolve } of waiting) if (what === kind && counts[kind] >= count) resolve();
        },
        heard: (what, more) => new Promise((resolve) => {
          waiting.push({ what, count: (counts[what] ?? 0) + more, resolve });
        }),
      };
    };

    for (let life = 0; life < KILLS; life++) {
      const { told: hear, heard } = listen();
      const waitUntil = draw.pick(['local', 'connected', 'synced']);
      const child = new Life({ config, userID, token, recvID: bob.id, life, waitUntil }, hear);
      const point = draw.pick(Object.keys(POINTS));
      const reached = POINTS[point]({ next: draw.next, heard, server, userID });
      fromBob.push(await say(bob, { id: userID }, `to life ${life}`));
      await Promise.race([
        reached,
        child.ended.then(() => assert.fail(`life ${life} ended by itself before ${point}`)),
      ]);
      await child.kill();
    }

    const last = listen();
    const child = new Life({ config, userID, token, recvID: bob.id, waitUntil: 'synced', quiet: true }, last.told);
    await Promise.all([last.heard('idle', 1), child.ended]);

    const sender = await world.open({ dataDir: config.dataDir });
    await sender.login({ userID, token, waitUntil: 'synced' });
    let own;
    await until('everything accepted is stored and has come back', async () => {
      own = await wholeHistory(sender, conversationID);
      return own.every(({ seq }) => seq > 0);
    });
    const fresh = await OpenIM.open({ ...config, platformID: Platform.Web, dataDir: ':memory:' });
    t.after(() => fresh.close());
    await fresh.login({ userID, token: await world.token('alice', Platform.Web), waitUntil: 'synced' });

    const log = await wholeHistory(fresh, conversationID);
    const ids = log.map(({ clientMsgID }) => clientMsgID);
    assert.equal(new Set(ids).size, ids.length, 'a message stands twice in the log of the server');
    assert.deepEqual(log.map(({ seq }) => seq), log.map((_, at) => at + 1), 'seqs have no holes');
    const missing = [...accepted].filter((id) => !ids.includes(id));
    assert.deepEqual(missing, [], 'accepted messages are lost');
    assert.deepEqual(own.map(({ clientMsgID }) => clientMsgID), ids, 'the sender sees what the server has');
    assert.deepEqual([...new Set(own.map(({ status }) => status))], [2], 'nothing is left on its way');
    assert.equal(sender.stats().outboxQueued, 0);
    assert.deepEqual(ids.filter((id) => fromBob.some(({ clientMsgID }) => clientMsgID === id)).length, KILLS);
    // texts of one life are in the order of their calls
    for (let life = 0; life < KILLS; life++) {
      const numbers = log.map(textOf).filter((text) => text.startsWith(`${life}.`)).map((text) => Number(text.split('.')[1]));
      assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b), `order of life ${life}`);
    }
    assert.equal(doubled, 0, 'a message was told twice');
    // the server reads for whoever sends: what comes after the last own message is unread
    const lastOwn = ids.findLastIndex((id) => !fromBob.some(({ clientMsgID }) => clientMsgID === id));
    assert.equal(await fresh.getTotalUnreadMsgCount(), ids.length - 1 - lastOwn);
  });
}
