// Chaos: random sequences of sends, lost, doubled, late and reordered pushes, lost requests and answers, lost
// connections, kicks, refused tokens, jumps of the server's clock, restarts of server and client, new devices. At every
// rest - faults cleared, everybody connected - the ten invariants must hold (support/chaos-model.mjs).
//
// One combination is left out: a stalled line may hold a request back for longer than any client waits before it sends
// again, and a server that does not know client ids by heart then stores it twice. Nothing that a client does helps.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Platform } from 'openim-node';
import { ChaosModel, ENDS, REFUSED } from '../support/chaos-model.mjs';
import { drawSeed, random } from '../support/random.mjs';
import { Recording, until } from '../support/recording.mjs';
import { needsFaultLever, openAdmin } from '../support/servers.mjs';
import { World } from '../support/world.mjs';

/** Seeds that once found a defect, in their long form. */
const KEPT = process.env.SOAK ? [1974164419, 410348846, 410348860] : [];
const SEEDS = process.env.SEED ? 1 : Number(process.env.CHAOS_SEEDS ?? (process.env.SOAK ? 60 : 6));
const ROUNDS = process.env.SOAK ? 6 : 3;
const STEPS = 24;

const OPERATIONS = { send: 1003, pull: 1002, pullSeqs: 1005, newest: 1001, cursors: 1006 };
const PULLS = [OPERATIONS.pull, OPERATIONS.pullSeqs, OPERATIONS.newest, OPERATIONS.cursors];
/** A refusal that says nothing of the token: the client tries again. */
const TOO_MANY = 1601;
const PEOPLE = ['alice', 'bob', 'carol'];
const PAIRS = [['alice', 'bob'], ['alice', 'carol'], ['bob', 'carol']];
const DAY = 86_400_000;
const BATCH = 7;

/** What a call says whose session ended. */
const GONE = new Set(['OPENIM_NOT_LOGGED_IN', 'OPENIM_LOGGED_OUT', 'OPENIM_CLOSED']);

const isText = (text) => ({ textElem }) => textElem.content === text;

class Chaos {
  #t;
  #world;
  #model = new ChaosModel();
  #devices = [];
  #sends = new Set();
  #refusals = [];
  #complete;
  #texts = 0;

  static async start(t, seed) {
    const chaos = new Chaos();
    chaos.#t = t;
    chaos.#world = await World.start(t, { dataDir: true });
    await Promise.all(PEOPLE.map((name) => chaos.#world.register(name)));
    const { next } = random(seed);
    // half of them leave what was missed to the history; half of them do not wait for answers
    chaos.#complete = next(2) === 0;
    const sendTimeout = next(2) === 0 ? 60_000 : 300;
    for (const [person, platformID, extra] of [
      ['alice', Platform.Linux, { sendTimeout }],
      ['alice', Platform.Android, {}],
      ['bob', Platform.Linux, { sendTimeout }],
      ['carol', Platform.Linux, { renews: true }],
    ]) await chaos.#appear(person, platformID, extra);
    return chaos;
  }

  get #faults() {
    return this.#world.server.faults;
  }

  #chat(pair) {
    return this.#world.chat(...pair);
  }

  // ------------------------------------------------------------------------------------------------------- devices

  /** A device with an empty database. */
  async #appear(person, platformID, { renews = false, sendTimeout = 60_000 } = {}) {
    const device = { person, name: `${person}${this.#devices.length}`, id: this.#world.id(person), platformID };
    device.config = {
      platformID,
      dataDir: this.#world.folder(),
      sendTimeout,
      syncPullCount: this.#complete ? 1000 : 2,
      ...(renews ? { tokenProvider: () => this.#world.token(person, platformID) } : {}),
    };
    this.#devices.push(device);
    this.#model.deviceAppears(device.name, device.id);
    device.token = await this.#world.token(person, platformID);
    await this.#open(device);
  }

  async #open(device) {
    device.ends = 0;
    device.client = await this.#world.open(device.config);
    device.recording = new Recording(device.client, undefined, (event, payload) => {
      this.#model.heard(device.name, event, payload);
    });
    this.#begin(device);
    await device.client.login({ userID: device.id, token: device.token });
  }

  #begin({ name }) {
    this.#model.sessionBegins(name, { complete: this.#complete });
  }

  /** Gives a device whose session was ended a new token. */
  async #comeBack(device) {
    if (device.client.getLoginStatus() !== 1) return;
    device.ends += 1;
    const isEnd = ([event]) => ENDS.has(event);
    await device.recording.when('end', () => device.recording.events.filter(isEnd).length >= device.ends);
    device.token = await this.#world.token(device.person, device.platformID);
    this.#begin(device);
    await device.client.updateToken(device.token);
  }

  /** A device is closed and started again. */
  async #reopen(device) {
    await device.client.close();
    await this.#open(device);
  }

  // --------------------------------------------------------------------------------------------------------- calls

  /** A call that may fail because the session or the connection is gone. */
  async #tolerate(call) {
    try {
      await call;
      return true;
    } catch (error) {
      if (!GONE.has(error.code) && !error.retryable && !(error.errCode > 1500 && error.errCode < 1508)) throw error;
      return false;
    }
  }

  /** Sends a text; how it ends is noted whenever that is. */
  #send(device, pair, label = '') {
    const peer = pair.find((person) => person !== device.person);
    const chat = this.#chat(pair);
    this.#texts += 1;
    let message;
    try {
      message = device.client.createTextMessage(`${label}${this.#texts}`);
    } catch (error) {
      // without a session there is not even a message
      assert.equal(error.code, 'OPENIM_NOT_LOGGED_IN');
      return undefined;
    }
    this.#model.sends(device.name, chat, message);
    const sending = device.client.sendMessage({ recvID: this.#world.id(peer), message }).then(
      () => 'accepted',
      (error) => {
        if (error.errCode === REFUSED) return 'refused';
        if (error.code === 'OPENIM_SEND_PENDING') return 'pending';
        if (GONE.has(error.code)) return 'gone';
        throw error;
      },
    ).then((outcome) => {
      this.#model.sendEnded(message.clientMsgID, outcome);
      this.#sends.delete(sending);
      return outcome;
    });
    this.#sends.add(sending);
    return sending;
  }

  async #mark(device, pair) {
    const chat = this.#chat(pair);
    const knows = this.#model.knows(device.name, chat);
    try {
      if (await this.#tolerate(device.client.markConversationMessageAsRead(chat))) {
        this.#model.read(device.name, chat, knows);
      }
    } catch (error) {
      if (error.code !== 'OPENIM_NOT_FOUND') throw error;
    }
  }

  // --------------------------------------------------------------------------------------------------------- steps

  /** What happens, how often, and whether it harms nothing but pushes. `n` draws a number below its bound. */
  static ACTIONS = [
    [12, true, 'send', (chaos, { device, pair }) => { chaos.#send(device, pair); }],
    [4, true, 'send four', (chaos, { device, pair }) => { for (let i = 0; i < 4; i++) chaos.#send(device, pair); }],
    [6, true, 'receive', (chaos, { n }) => pause(n(60))],
    [3, true, 'read', (chaos, { device, pair }) => chaos.#mark(device, pair)],
    [3, true, 'look', (chaos, { device, pair, n }) => chaos.#tolerate(device.client.getAdvancedHistoryMessageList({
      conversationID: chaos.#chat(pair), count: 1 + n(20),
    }))],
    [3, true, 'drop', (chaos, { to, n }) => { chaos.#faults.dropPushes({ to, count: 1 + n(3) }); }],
    [3, true, 'duplicate', (chaos, { to, n }) => { chaos.#faults.duplicatePushes({ to, count: 1 + n(3) }); }],
    [3, true, 'reorder', (chaos, { to, n }) => { chaos.#faults.reorderPushes({ to, count: 2 + n(3) }); }],
    [3, true, 'delay', (chaos, { to, n }) => { chaos.#faults.delayPushes({ to, ms: 1 + n(200), count: 1 + n(4) }); }],
    [3, true, 'gap', (chaos, { to, n }) => { chaos.#faults.leaveGap({ to, count: 1 + n(4) }); }],
    [1, true, 'hole', (chaos, { pair, n }) => chaos.#hole(pair, 1 + n(3))],
    [2, true, 'store late', (chaos, { to, n }) => {
      chaos.#faults.delayStore(1 + n(120), { userID: to, count: 1 + n(3) });
    }],
    [1, true, 'slow disk', (chaos, { n }) => { chaos.#faults.slowDisk(1 + n(20), { count: 1 + n(5) }); }],
    [1, true, 'background', (chaos, { device: { client }, n }) => (
      chaos.#tolerate(client.setAppBackgroundStatus(n(2) === 0))
    )],
    [2, false, 'early loss', (chaos, { to, n }) => { chaos.#faults.loseEarlyPushes(300, { to, count: 1 + n(4) }); }],
    [2, false, 'lose a send', (chaos, { to }) => {
      chaos.#faults.dropRequests({ userID: to, operation: OPERATIONS.send, count: 1 });
    }],
    [2, false, 'lose an answer', (chaos, { to }) => {
      chaos.#faults.dropAnswers({ userID: to, operation: OPERATIONS.send, count: 1 });
    }],
    [2, false, 'lose an answer to a pull', (chaos, { to, n }) => {
      chaos.#faults.dropAnswers({ userID: to, operation: PULLS[n(PULLS.length)], count: 1 });
    }],
    [2, false, 'refuse a pull', (chaos, { to, n }) => {
      chaos.#faults.refuseRequests({ userID: to, operation: PULLS[n(PULLS.length)], code: 500, count: 1 });
    }],
    [2, false, 'answer late', (chaos, { to, n }) => {
      const operation = Object.values(OPERATIONS)[n(5)];
      chaos.#faults.delayAnswers({ userID: to, operation, ms: 1 + n(200), count: 1 + n(2) });
    }],
    [1, false, 'answer twice', (chaos, { to, n }) => {
      chaos.#faults.repeatAnswers({ userID: to, operation: Object.values(OPERATIONS)[n(5)], count: 1 + n(2) });
    }],
    [1, false, 'refuse a send', (chaos, { to }) => {
      const fault = chaos.#faults.refuseRequests({ userID: to, operation: OPERATIONS.send, code: REFUSED, count: 1 });
      chaos.#refusals.push(fault);
    }],
    [4, false, 'disconnect', (chaos, { to }) => { chaos.#faults.closeConnections({ userID: to }); }],
    [3, false, 'no way for a while', (chaos, { to, n }) => {
      chaos.#faults.refuseHandshakes({ userID: to, code: TOO_MANY, count: 1 + n(3) });
      chaos.#faults.closeConnections({ userID: to });
    }],
    [2, false, 'another network', (chaos, { device }) => chaos.#tolerate(device.client.networkStatusChanged())],
    [2, false, 'kick', (chaos, { device: { id, platformID } }) => { chaos.#faults.kick({ userID: id, platformID }); }],
    [2, false, 'token expires', (chaos, { to, n }) => {
      chaos.#faults.refuseHandshakes({ userID: to, code: [1501, 1503][n(2)], count: 1 });
      chaos.#faults.closeConnections({ userID: to });
    }],
    [2, false, 'clock jumps', (chaos, { n }) => { chaos.#faults.shiftClock([-1, 1, -40, 40, 91][n(5)] * DAY); }],
    [1, false, 'server restarts', (chaos) => chaos.#world.server.restart()],
    [1, false, 'read and write without a server', async (chaos, { device, pair }) => {
      await chaos.#world.server.stop();
      await chaos.#mark(device, pair);
      chaos.#send(device, pair);
      await chaos.#world.server.restart();
    }],
    [3, false, 'come back', (chaos, { device }) => chaos.#comeBack(device)],
    [2, false, 'client restarts', (chaos, { device }) => chaos.#reopen(device)],
    [1, false, 'another device', (chaos, { n }) => chaos.#another(n(2))],
  ];

  #hole(pair, count) {
    try {
      this.#faults.makeHole({ conversationID: this.#chat(pair), count });
    } catch (error) {
      // nobody has written there yet
      if (error.code !== 'OPENIM_ARGS') throw error;
    }
  }

  async #another(which) {
    const [person, platformID] = [['bob', Platform.AndroidPad], ['carol', Platform.Web]][which];
    if (this.#devices.some((device) => device.person === person && device.platformID === platformID)) return;
    await this.#appear(person, platformID);
  }

  /** Everything about a step is drawn before it is known what it meets: a seed gives the same steps every time. */
  static plan({ next, pick }, gentle) {
    const actions = Chaos.ACTIONS.filter(([, harmless]) => harmless || !gentle);
    const hat = actions.flatMap((action) => Array(action[0]).fill(action));
    return Array.from({ length: STEPS }, () => {
      const [, , name, run] = pick(hat);
      const numbers = [next(5040), next(5040), next(5040)];
      return { name, run, device: next(840), pair: next(2), to: pick(PEOPLE), numbers };
    });
  }

  async step({ run, device: which, pair, to, numbers }) {
    const device = this.#devices[which % this.#devices.length];
    const drawn = [...numbers];
    await run(this, {
      device,
      pair: PAIRS.filter((people) => people.includes(device.person))[pair],
      to: this.#world.id(to),
      n: (bound) => drawn.pop() % bound,
    });
  }

  // ---------------------------------------------------------------------------------------------------------- rest

  /**
   * @param compared everybody connects anew, and so compares with the server; else a message in every chat shows what
   *   the pushes left out
   */
  async rest(compared) {
    this.#faults.clear();
    if (compared) await Promise.all(this.#devices.map((device) => this.#revive(device)));
    for (const { client } of this.#devices) await client.setAppBackgroundStatus(false);
    if (!compared) this.#sayInEveryChat();
    await until('every send has its outcome', () => (
      this.#sends.size === 0 && this.#devices.every(({ client }) => client.stats().outboxQueued === 0)
    ));
    await this.#fences();
    let problems;
    try {
      await until('rest', async () => {
        problems = await this.#problems(compared);
        return problems.length === 0;
      });
    } catch (error) {
      throw problems ? new Error(problems.join('\n')) : error;
    }
    await this.#fences();
    for (const device of this.#devices) this.#model.rests(device.name, await this.#shown(device));
    assert.deepEqual(await this.#problems(compared), []);
  }

  /** Connects a device anew, with a new token if it needs one. */
  async #revive(device) {
    for (;;) {
      await this.#comeBack(device);
      const before = device.recording.events.length;
      if (!await this.#tolerate(device.client.networkStatusChanged())) continue;
      await device.recording.when('sync or end', () => {
        const names = device.recording.names.slice(before);
        const since = names.indexOf('OnConnectSuccess');
        return device.client.getLoginStatus() === 1 || (since >= 0 && names.indexOf('OnSyncServerFinish', since) >= 0);
      });
      if (device.client.getLoginStatus() === 3) return;
    }
  }

  #sayInEveryChat() {
    for (const pair of PAIRS) {
      for (const person of pair) this.#send(this.#devices.find((device) => device.person === person), pair, 'rest ');
    }
  }

  /** Resolves once what the server had for anybody has arrived: a message that is stored nowhere follows it. */
  async #fences() {
    for (const [from, to] of PAIRS.flatMap((pair) => [pair, [...pair].reverse()])) {
      const { client } = this.#devices.find(({ person }) => person === from);
      const message = client.createTextMessage('fence');
      await client.sendMessage({ recvID: this.#world.id(to), message, isOnlineOnly: true });
      const isFence = ({ clientMsgID }) => clientMsgID === message.clientMsgID;
      await Promise.all(this.#devices.filter(({ person }) => person === to).map(({ recording }) => (
        recording.heard('OnRecvOnlineOnlyMessages', (messages) => messages.some(isFence))
      )));
    }
  }

  // -------------------------------------------------------------------------------------------------------- truths

  async #problems(compared) {
    const { logs, read } = await this.#serverSide();
    const problems = [...this.#model.violations];
    problems.push(...this.#model.checkLogs(logs, this.#refusals.reduce((sum, { hits }) => sum + hits, 0)));
    for (const device of this.#devices) {
      const own = new Map(PAIRS.filter((pair) => pair.includes(device.person)).map((pair) => {
        const chat = this.#chat(pair);
        return [chat, logs.get(chat)];
      }));
      problems.push(...this.#model.checkDevice(device.name, own, read, await this.#shown(device), { compared }));
    }
    return problems;
  }

  /** The logs and read cursors as the server's REST API has them. */
  async #serverSide() {
    const admin = await openAdmin(this.#world.server);
    const read = new Map();
    const logs = new Map(PAIRS.map((pair) => [this.#chat(pair), []]));
    for (const person of PEOPLE) {
      const userID = this.#world.id(person);
      const { seqs } = await admin.post('/msg/get_conversations_has_read_and_max_seq', { userID });
      const entries = Object.entries(seqs ?? {});
      read.set(userID, new Map(entries.map(([chat, { hasReadSeq }]) => [chat, hasReadSeq])));
      const seqRanges = entries.map(([conversationID, { maxSeq }]) => (
        { conversationID, begin: 1, end: maxSeq, num: maxSeq }
      ));
      const { msgs } = await admin.post('/msg/pull_msg_by_seq', { userID, seqRanges, order: 0 });
      for (const [chat, { Msgs }] of Object.entries(msgs ?? {})) {
        logs.set(chat, Msgs.filter(({ clientMsgID }) => clientMsgID !== '').map(({ clientMsgID, seq, content }) => (
          { clientMsgID, seq, text: JSON.parse(Buffer.from(content, 'base64')).content }
        )));
      }
    }
    return { logs, read };
  }

  /** What a device shows. */
  async #shown({ person, client }) {
    const histories = new Map();
    for (const pair of PAIRS.filter((people) => people.includes(person))) {
      const chat = this.#chat(pair);
      histories.set(chat, await this.#history(client, chat));
    }
    const conversations = await client.getAllConversationList();
    const total = await client.getTotalUnreadMsgCount();
    return { conversations, histories, total, unsent: client.stats().outboxQueued };
  }

  async #history(client, conversationID) {
    let list = [];
    for (;;) {
      const startClientMsgID = list[0]?.clientMsgID ?? '';
      const page = await client.getAdvancedHistoryMessageList({ conversationID, startClientMsgID, count: BATCH });
      list = [...page.messageList, ...list];
      if (page.isEnd || page.errCode !== 0) return list;
    }
  }

  /** I8: while one send waits for its answer, the other calls of its device go on, and so do its other sends. */
  async independence() {
    const [alice] = this.#devices;
    const carol = this.#devices.find(({ person }) => person === 'carol');
    const [lost] = Object.values(OPERATIONS).map((operation) => (
      this.#faults.dropAnswers({ userID: alice.id, operation })
    ));
    this.#faults.dropPushes({ to: alice.id });
    let accepted = false;
    this.#send(alice, PAIRS[0], 'waits ').then((outcome) => { accepted = outcome === 'accepted'; });
    await lost.acted();
    this.#send(alice, PAIRS[1], 'goes on ');
    await carol.recording.heard('OnRecvNewMessages', (messages) => messages.some(isText(`goes on ${this.#texts}`)));
    await alice.client.setAppBackgroundStatus(false);
    assert.equal(accepted, false);
  }
}

/** Lives through the steps of a seed. */
async function live(t, seed) {
  t.diagnostic(`seed ${seed}: SEED=${seed} node --test __test__/scenarios/chaos.spec.mjs`);
  const generator = random(seed ^ 0x5eed);
  const steps = [];
  try {
    const chaos = await Chaos.start(t, seed);
    await chaos.rest(true);
    for (let round = 0; round < ROUNDS; round++) {
      const gentle = generator.next(3) === 0;
      const compared = !gentle || generator.next(2) === 0;
      for (const step of Chaos.plan(generator, gentle)) {
        steps.push(step.name);
        await chaos.step(step);
      }
      steps.push(compared ? 'rest and compare' : 'rest');
      await chaos.rest(compared);
    }
    await chaos.independence();
  } catch (error) {
    throw new Error(`${error.message}\nseed ${seed}: ${steps.join(', ')}`, { cause: error });
  }
}

describe('whatever happens, the invariants hold at every rest', { skip: needsFaultLever, concurrency: 4 }, () => {
  const first = drawSeed();
  const drawn = Array.from({ length: SEEDS }, (_, i) => (first + i) % 2 ** 32);
  for (const seed of process.env.SEED ? drawn : [...KEPT, ...drawn]) test(`seed ${seed}`, (t) => live(t, seed));
});
