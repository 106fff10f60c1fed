import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import pumps from '../../js/pump.js';

const { EventPump } = pumps;

/** A pump with what it dispatched and how often it returned the credit. */
function makePump(dispatch = () => {}) {
  const seen = { events: [], credits: 0 };
  const pump = new EventPump(
    (events) => {
      seen.events.push(...events);
      dispatch(events);
    },
    () => { seen.credits += 1; },
  );
  pump.listen();
  return { pump, seen };
}

/** Whether a promise is settled, without waiting for it. */
async function isSettled(promise) {
  const pending = Symbol('pending');
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending;
}

test('the credit is returned once per batch, and only on the next turn of the loop', async () => {
  const { pump, seen } = makePump();
  pump.receive('[["OnConnecting",null]]', 1);
  assert.equal(seen.credits, 0);
  await nextTurn();
  assert.equal(seen.credits, 1);
  pump.receive('[["OnConnectSuccess",null]]', 2);
  await nextTurn();
  assert.equal(seen.credits, 2);
  assert.deepEqual(seen.events.map(([name]) => name), ['OnConnecting', 'OnConnectSuccess']);
});

test('an answer waits for the batch with its event, and no longer', async () => {
  const { pump } = makePump();
  assert.equal(pump.hasReached(0), true);
  const third = pump.reached(3).then(() => 'third');
  const second = pump.reached(2).then(() => 'second');
  pump.receive('[]', 1);
  assert.equal(await isSettled(second), false);
  pump.receive('[]', 2);
  assert.equal(await second, 'second');
  assert.equal(await isSettled(third), false);
  pump.receive('[]', 7);
  assert.equal(await third, 'third');
  assert.equal(pump.hasReached(7), true);
  assert.equal(pump.hasReached(8), false);
});

test('answers are released in the order of their events', async () => {
  const { pump } = makePump();
  const order = [];
  const waits = [5, 1, 4, 2, 3].map((number) => pump.reached(number).then(() => order.push(number)));
  pump.receive('[]', 5);
  await Promise.all(waits);
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
});

test('an answer comes after the dispatch, not with its beginning', async () => {
  const order = [];
  const { pump } = makePump(() => order.push('dispatched'));
  const wait = pump.reached(1).then(() => order.push('answered'));
  pump.receive('[["OnConnecting",null]]', 1);
  await wait;
  assert.deepEqual(order, ['dispatched', 'answered']);
});

test('a dispatch that fails still releases answers and returns the credit', async () => {
  const { pump, seen } = makePump(() => { throw new Error('boom'); });
  const wait = pump.reached(1);
  assert.throws(() => pump.receive('[]', 1), /boom/);
  await wait;
  await nextTurn();
  assert.equal(seen.credits, 1);
});

test('closing releases every answer, and the native side still gets rid of what it had queued', async () => {
  const { pump, seen } = makePump();
  const waits = Promise.all([pump.reached(10), pump.reached(20)]);
  pump.close();
  await waits;
  await pump.reached(30);
  pump.receive('[]', 5);
  await nextTurn();
  assert.equal(seen.credits, 1);
});
