import assert from 'node:assert/strict';
import { on } from 'node:events';
import { test } from 'node:test';
import { Recording, until } from './support/recording.mjs';
import { World, say, settled, textOf } from './support/world.mjs';

/** Blocks the loop, as a listener that computes does. */
const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

test('a listener that throws stops neither the others nor what follows', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const bob = await world.open();
  const errors = [];
  bob.on('error', (error) => errors.push(error.message));
  bob.on('OnRecvNewMessages', () => { throw new Error('from the client'); });
  bob.message.on('OnRecvNewMessages', async () => { throw new Error('from the emitter, later'); });
  const recording = new Recording(bob);
  await bob.login({ userID: world.id('bob'), token: await world.token('bob'), waitUntil: 'synced' });
  for (const text of ['one', 'two', 'three']) {
    await alice.client.sendMessage({ recvID: world.id('bob'), message: alice.client.createTextMessage(text) });
  }
  assert.deepEqual((await recording.messages(3)).map(textOf), ['one', 'two', 'three']);
  await recording.heard('OnTotalUnreadMessageCountChanged', (total) => total === 3);
  assert.ok(errors.includes('from the client'));
  assert.ok(errors.includes('from the emitter, later'));
});

test('a promise never resolves before its own events: 200 sends, one after another', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const sent = new Set();
  alice.client.on('OnConversationChanged', ([{ latestMsg }]) => {
    if (latestMsg.status === 2) sent.add(latestMsg.clientMsgID);
  });
  for (let i = 0; i < 200; i++) {
    const { clientMsgID } = await say(alice, bob, `${i}`);
    assert.ok(sent.has(clientMsgID), `message ${i} was answered before its event`);
  }
});

test('a promise never resolves before its own events: 100 sends in flight', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const receivers = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
    await world.register(`peer${i}`);
    return { id: world.id(`peer${i}`) };
  }));
  const sent = new Set();
  alice.client.on('OnConversationChanged', (conversations) => {
    for (const { latestMsg } of conversations) if (latestMsg.status === 2) sent.add(latestMsg.clientMsgID);
  });
  const early = [];
  await Promise.all(receivers.map(async (receiver, i) => {
    const { clientMsgID } = await say(alice, receiver, `${i}`);
    if (!sent.has(clientMsgID)) early.push(i);
  }));
  assert.deepEqual(early, []);
});

test('calls of a client without any listener resolve', async (t) => {
  const world = await World.start(t);
  const alice = await world.open();
  await alice.login({ userID: world.id('alice'), token: await world.token('alice'), waitUntil: 'synced' });
  await world.register('bob');
  for (let i = 0; i < 100; i++) {
    await alice.sendMessage({ recvID: world.id('bob'), message: alice.createTextMessage(`${i}`) });
  }
  await alice.markAllConversationMessageAsRead();
  assert.equal((await alice.getAllConversationList()).length, 1);
});

test('listeners that come late hear what was kept for them, in order', async (t) => {
  const world = await World.start(t);
  const alice = await world.open();
  await alice.login({ userID: world.id('alice'), token: await world.token('alice'), waitUntil: 'synced' });
  const recording = new Recording(alice);
  await recording.heard('OnSyncServerFinish');
  assert.deepEqual(
    recording.names.filter((name) => name !== 'OnSyncServerProgress'),
    ['OnConnecting', 'OnConnectSuccess', 'OnSyncServerStart', 'OnSyncServerFinish'],
  );
});

test('a consumer that stalls for two seconds misses nothing of what arrives meanwhile', async (t) => {
  const world = await World.start(t);
  const senders = await Promise.all(Array.from({ length: 10 }, (_, i) => world.enter(`sender${i}`)));
  const bob = await world.enter('bob');
  const each = 300;
  let stalls = 0;
  bob.client.on('OnRecvNewMessages', () => {
    if (stalls++ === 0) block(2000);
  });
  // the sends are in the core's hands and go on while the loop is blocked
  await Promise.all(senders.map(async (sender, who) => {
    for (let i = 0; i < each; i += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, k) => say(sender, bob, `${who}/${i + k}`)));
    }
  }));
  const messages = await bob.recording.messages(senders.length * each);
  assert.deepEqual(bob.recording.of('OnEventsDropped'), []);
  assert.equal(messages.length, senders.length * each);
  assert.equal(new Set(messages.map(({ clientMsgID }) => clientMsgID)).size, messages.length);
  for (const { id } of senders) {
    const seqs = messages.filter(({ sendID }) => sendID === id).map(({ seq }) => seq);
    assert.deepEqual(seqs, Array.from({ length: each }, (_, i) => i + 1), 'in order within the conversation');
  }
  await bob.recording.heard('OnTotalUnreadMessageCountChanged', (total) => total === messages.length);
  assert.equal(await bob.client.getTotalUnreadMsgCount(), messages.length);
});

test('one ordered stream feeds the client and its emitters', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const heard = [];
  bob.client.message.on('OnRecvNewMessages', () => heard.push('message emitter'));
  bob.client.conversation.on('OnNewConversation', () => heard.push('conversation emitter'));
  bob.client.on('OnTotalUnreadMessageCountChanged', () => heard.push('client'));
  await say(alice, bob, 'hello');
  await settled(alice, bob);
  assert.deepEqual(heard, ['message emitter', 'conversation emitter', 'client']);
});

test('events.on iterates over a client', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const stop = new AbortController();
  const texts = [];
  const reading = (async () => {
    for await (const [messages] of on(bob.client, 'OnRecvNewMessages', { signal: stop.signal })) {
      texts.push(...messages.map(textOf));
      if (texts.length === 3) return;
    }
  })();
  for (const text of ['a', 'b', 'c']) await say(alice, bob, text);
  await reading;
  assert.deepEqual(texts, ['a', 'b', 'c']);
  await until('the iterator has let go', () => bob.client.listenerCount('error') === 0);
});

test('each noun has an emitter of its own, with its own events and no others', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.open()];
  const heard = [];
  const nouns = {
    connection: 'OnConnectSuccess', user: 'OnSelfInfoUpdated', friendship: 'OnFriendApplicationAdded', group: 'OnConnecting',
    conversation: 'OnSyncServerFinish', message: 'OnRecvNewMessages', signaling: 'OnConnecting',
  };
  for (const [noun, event] of Object.entries(nouns)) bob[noun].on(event, () => heard.push(noun));
  await bob.login({ userID: world.id('bob'), token: await world.token('bob'), waitUntil: 'synced' });
  await bob.setSelfInfo({ nickname: 'Robert' });
  await alice.client.addFriend({ toUserID: world.id('bob') });
  await say(alice, { id: world.id('bob') }, 'hello');
  await until('all of them have spoken', () => heard.includes('message') && heard.includes('friendship'));
  assert.deepEqual([...new Set(heard)].sort(), ['connection', 'conversation', 'friendship', 'message', 'user']);
});

test('who listens too late is told that he missed something, and hears the rest in order', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const bob = await world.open();
  await bob.login({ userID: world.id('bob'), token: await world.token('bob'), waitUntil: 'synced' });
  // each brings bob a message, a conversation and a total
  for (let i = 0; i < 400; i++) await say(alice, { id: world.id('bob') }, `${i}`);
  await until('all of it is there', async () => await bob.getTotalUnreadMsgCount() === 400);
  const recording = new Recording(bob);
  const { count } = await recording.heard('OnEventsDropped');
  assert.ok(count > 0);
  assert.equal(recording.names[0], 'OnEventsDropped');
  await recording.heard('OnRecvNewMessages', (messages) => textOf(messages.at(-1)) === '399');
  const told = recording.of('OnRecvNewMessages').flat().map((message) => Number(textOf(message)));
  assert.deepEqual(told, Array.from({ length: told.length }, (_, i) => 400 - told.length + i));
  assert.ok(told.length < 400);
  world.shows('callback', 'OnEventsDropped');
});
