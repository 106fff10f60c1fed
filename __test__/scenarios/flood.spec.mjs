// A flood from other processes while the consumer's loop is blocked: 5,000 messages here, 100,000 in the long form.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { flood } from '../../bench/senders.mjs';
import { World } from '../support/world.mjs';

const SENDERS = 10;
const EACH = process.env.SOAK ? 10_000 : 500;
const STALL_MS = 2000;
/** What may be resident beyond the start while a flood waits: the event queue's bound, and a page cache. */
const MAX_GROWTH_BYTES = 200 * 2 ** 20;

function block(ms) {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

test('a consumer that stalls under a flood: memory is bounded, nothing is lost, nothing comes twice', async (t) => {
  // the server's memory must not be in this process
  const world = await World.start(t, { apart: true });
  const names = Array.from({ length: SENDERS }, (_, i) => `sender${i}`);
  await Promise.all(names.map((name) => world.register(name)));
  const senders = names.map((name) => world.id(name));
  const token = await world.token('bob');
  const client = await world.open();
  await client.login({ userID: world.id('bob'), token, waitUntil: 'synced' });

  const seqs = new Map(senders.map((id) => [id, []]));
  const before = process.memoryUsage().rss;
  let received = 0;
  let highest = 0;
  const complete = new Promise((resolve) => {
    client.on('OnRecvNewMessages', (messages) => {
      if (received === 0) block(STALL_MS);
      received += messages.length;
      for (const { sendID, seq } of messages) seqs.get(sendID).push(seq);
      highest = Math.max(highest, process.memoryUsage().rss);
      if (received >= SENDERS * EACH) resolve();
    });
  });
  let dropped = 0;
  client.on('OnEventsDropped', ({ count }) => { dropped += count; });
  await flood(world.server, { senders, count: EACH, receiver: world.id('bob') });
  await complete;

  assert.equal(dropped, 0);
  assert.equal(received, SENDERS * EACH, 'each message once');
  const whole = Array.from({ length: EACH }, (_, i) => i + 1);
  for (const [sender, list] of seqs) {
    // a server that closes on a client which takes nothing makes a gap, whose messages come when they are fetched
    const told = client.stats().reconnects === 0 ? list : [...list].sort((a, b) => a - b);
    assert.deepEqual(told, whole, `${sender}, in order`);
  }
  assert.ok(highest - before < MAX_GROWTH_BYTES, `grew by ${Math.round((highest - before) / 2 ** 20)} MB`);
  assert.equal(await client.getTotalUnreadMsgCount(), SENDERS * EACH);
});
