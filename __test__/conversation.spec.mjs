import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SessionType } from 'openim-node';
import { World, say, settled, textOf } from './support/world.mjs';

/** Bob, and others who each wrote him one text, in this order. */
async function bobAndHisChats(t, ...names) {
  const world = await World.start(t);
  const bob = await world.enter('bob');
  const others = {};
  for (const name of names) {
    others[name] = await world.enter(name);
    await say(others[name], bob, `I am ${name}`);
    await settled(others[name], bob);
  }
  return { world, bob, ...others };
}

test('the list has the newest conversation first, and slices of it fit together', async (t) => {
  const { world, bob, alice } = await bobAndHisChats(t, 'alice', 'carol', 'dave');
  const names = (list) => list.map(({ showName }) => showName);
  assert.deepEqual(names(await bob.client.getAllConversationList()), ['dave', 'carol', 'alice']);
  await say(alice, bob, 'once more');
  await settled(alice, bob);
  const all = await bob.client.getAllConversationList();
  assert.deepEqual(names(all), ['alice', 'dave', 'carol']);
  assert.equal(all[0].unreadCount, 2);
  assert.equal(textOf(all[0].latestMsg), 'once more');

  const slice = (offset, count) => bob.client.getConversationListSplit({ offset, count });
  assert.deepEqual([...await slice(0, 2), ...await slice(2, 2)], all);
  assert.deepEqual(await slice(3, 2), []);
  const ids = [world.chat('bob', 'carol'), 'si_no_such', world.chat('bob', 'dave')];
  const some = await bob.client.getMultipleConversation(ids);
  assert.deepEqual(names(some).sort(), ['carol', 'dave']);
  assert.deepEqual(await bob.client.getMultipleConversation([]), []);
});

test('a conversation is found by its other side, and made without being listed if there is none', async (t) => {
  const { world, bob, alice } = await bobAndHisChats(t, 'alice');
  await world.register('carol');
  const known = await bob.client.getOneConversation({ sourceID: alice.id, sessionType: SessionType.Single });
  assert.deepEqual([known], await bob.client.getAllConversationList());
  bob.recording.clear();
  const made = await bob.client.getOneConversation({ sourceID: world.id('carol'), sessionType: SessionType.Single });
  assert.equal(made.conversationID, world.chat('bob', 'carol'));
  assert.equal(made.userID, world.id('carol'));
  assert.equal(made.showName, world.id('carol'), 'the id until a name is known');
  assert.equal(made.latestMsg, null);
  assert.equal(made.unreadCount, 0);
  assert.equal((await bob.client.getAllConversationList()).length, 1);
  assert.deepEqual(bob.recording.names, []);
});

test('conversation ids are computed from the other side', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const id = (sourceID, sessionType) => alice.client.getConversationIDBySessionType({ sourceID, sessionType });
  assert.equal(id(world.id('bob'), SessionType.Single), world.chat('alice', 'bob'));
  assert.equal(id('123', SessionType.Group), 'sg_123');
  assert.match(id('admin', SessionType.Notification), /^sn_/);
});

test('unread counts add up, per conversation and in all, and reading one leaves the others', async (t) => {
  const { world, bob, alice, carol } = await bobAndHisChats(t, 'alice', 'carol');
  await say(alice, bob, 'second');
  await say(carol, bob, 'second');
  await say(carol, bob, 'third');
  await settled(alice, bob);
  await settled(carol, bob);
  const unread = async () => Object.fromEntries(
    (await bob.client.getAllConversationList()).map(({ showName, unreadCount }) => [showName, unreadCount]),
  );
  assert.deepEqual(await unread(), { alice: 2, carol: 3 });
  assert.equal(await bob.client.getTotalUnreadMsgCount(), 5);
  assert.equal(bob.recording.of('OnTotalUnreadMessageCountChanged').at(-1), 5);

  await bob.client.markConversationMessageAsRead(world.chat('bob', 'alice'));
  assert.deepEqual(await unread(), { alice: 0, carol: 3 });
  assert.equal(await bob.client.getTotalUnreadMsgCount(), 3);

  await say(alice, bob, 'new');
  await settled(alice, bob);
  assert.deepEqual(await unread(), { alice: 1, carol: 3 });

  await bob.client.markAllConversationMessageAsRead();
  assert.deepEqual(await unread(), { alice: 0, carol: 0 });
  assert.equal(await bob.client.getTotalUnreadMsgCount(), 0);
  assert.equal(bob.recording.of('OnTotalUnreadMessageCountChanged').at(-1), 0);
});

test('own messages are never unread, and an answer does not mark the other side read', async (t) => {
  const { bob, alice } = await bobAndHisChats(t, 'alice');
  await say(bob, alice, 'answer');
  await settled(bob, alice);
  await settled(alice, bob);
  assert.equal(await alice.client.getTotalUnreadMsgCount(), 1);
  const [chat] = await alice.client.getAllConversationList();
  assert.equal(textOf(chat.latestMsg), 'answer');
  assert.equal(chat.unreadCount, 1);
});

test('marking what is read, or nothing, changes and tells nothing', async (t) => {
  const { world, bob } = await bobAndHisChats(t, 'alice');
  await bob.client.markConversationMessageAsRead(world.chat('bob', 'alice'));
  bob.recording.clear();
  await bob.client.markConversationMessageAsRead(world.chat('bob', 'alice'));
  await bob.client.markAllConversationMessageAsRead();
  assert.deepEqual(bob.recording.names, []);
});

test('a restarted client has its list without a server', async (t) => {
  const world = await World.start(t);
  const dataDir = world.folder();
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob', { dataDir })];
  await say(alice, bob, 'hello');
  await settled(alice, bob);
  const before = await bob.client.getAllConversationList();
  await bob.client.close();
  const offline = await world.open({ dataDir, apiAddr: 'http://127.0.0.1:1', wsAddr: 'ws://127.0.0.1:1' });
  await offline.login({ userID: bob.id, token: bob.token });
  assert.deepEqual(await offline.getAllConversationList(), before);
  assert.equal(await offline.getTotalUnreadMsgCount(), 1);
});
