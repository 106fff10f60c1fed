// The black list and what it does.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from 'openim-node';
import { befriend } from './support/people.mjs';
import { needsFaultLever } from './support/servers.mjs';
import { World, say, settled } from './support/world.mjs';

test('a block refuses messages of one side, until it is taken back; only the own devices hear of it', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const phone = await world.enter('alice', { platformID: Platform.Web });
  await alice.client.addBlack({ toUserID: bob.id, ex: 'spam' });
  const added = await phone.recording.heard('OnBlackAdded');
  assert.deepEqual(
    [added.ownerUserID, added.userID, added.nickname, added.ex, added.operatorUserID],
    [alice.id, bob.id, 'bob', 'spam', alice.id],
  );
  assert.deepEqual(await alice.client.getBlackList(), [added]);
  await assert.rejects(say(bob, alice, 'let me in'), { code: 'OPENIM_BLOCKED_BY_PEER', errCode: 1302 });
  await say(alice, bob, 'you stay out');
  await alice.client.addBlack({ toUserID: bob.id });
  assert.equal(alice.recording.of('OnBlackAdded').length, 1, 'twice is once');
  await alice.client.removeBlack(bob.id);
  await phone.recording.heard('OnBlackDeleted');
  await say(bob, alice, 'thank you');
  await settled(alice, bob);
  assert.deepEqual(bob.recording.names.filter((name) => name.startsWith('OnBlack')), []);
  assert.deepEqual(await alice.client.getBlackList(), []);
});

test('blocking asks the server, also where an older list says that it is done', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const phone = await world.enter('alice', { platformID: Platform.Web });
  await alice.client.addBlack({ toUserID: bob.id });
  await phone.recording.heard('OnBlackAdded');
  const lost = world.server.faults.dropPushes({ to: alice.id, count: 1 });
  await phone.client.removeBlack(bob.id);
  await lost.acted();
  await alice.client.addBlack({ toUserID: bob.id });
  await assert.rejects(say(bob, alice, 'let me in'), { errCode: 1302 });
});

test('a friend who is blocked stays a friend', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await befriend(alice, bob);
  await alice.client.addBlack({ toUserID: bob.id });
  assert.equal((await alice.client.getFriendList()).length, 1);
  assert.deepEqual(await alice.client.checkFriend([bob.id]), [{ userID: bob.id, result: 0 }]);
});
