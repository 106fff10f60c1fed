// Who is online.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { Platform } from 'openim-node';
import { needsFaultLever } from './support/servers.mjs';
import { World } from './support/world.mjs';

test('a subscription gives the state now and tells each change', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  await world.register('bob');
  const bobID = world.id('bob');
  const offline = { userID: bobID, status: 0, platformIDs: [] };
  assert.deepEqual(await alice.client.subscribeUsersStatus([bobID]), [offline]);
  const bob = await world.enter('bob');
  const online = { userID: bobID, status: 1, platformIDs: [Platform.Linux] };
  assert.deepEqual(await alice.recording.heard('OnUserStatusChanged'), online);
  const web = await world.enter('bob', { platformID: Platform.Web });
  const both = { userID: bobID, status: 1, platformIDs: [Platform.Web, Platform.Linux].sort((a, b) => a - b) };
  assert.deepEqual(await alice.recording.heard('OnUserStatusChanged', ({ platformIDs }) => platformIDs.length === 2), both);
  assert.deepEqual(await alice.client.getSubscribeUsersStatus(), [both]);
  await web.client.logout();
  await bob.client.logout();
  assert.deepEqual(await alice.recording.heard('OnUserStatusChanged', ({ status }) => status === 0), offline);
});

test('a subscription that fails is none', async (t) => {
  const world = await World.start(t);
  const bob = await world.enter('bob');
  const { client } = await world.enter('alice', { waitUntil: 'local', wsAddr: 'ws://127.0.0.1:1' });
  await assert.rejects(client.subscribeUsersStatus([bob.id]), { code: 'OPENIM_NETWORK' });
  assert.deepEqual(await client.getSubscribeUsersStatus(), []);
});

test('asking without a subscription, and no word after it ended', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  assert.deepEqual(await alice.client.getUserStatus([bob.id, world.id('nobody')]), [
    { userID: bob.id, status: 1, platformIDs: [Platform.Linux] },
    { userID: world.id('nobody'), status: 0, platformIDs: [] },
  ]);
  await alice.client.subscribeUsersStatus([bob.id]);
  await alice.client.unsubscribeUsersStatus([bob.id]);
  assert.deepEqual(await alice.client.getSubscribeUsersStatus(), []);
  const carol = await world.enter('carol');
  await alice.client.subscribeUsersStatus([carol.id]);
  await bob.client.logout();
  await carol.client.logout();
  assert.equal((await alice.recording.heard('OnUserStatusChanged')).userID, carol.id);
  assert.equal(alice.recording.of('OnUserStatusChanged').length, 1);
});

test('a lost connection keeps the subscription, and what changed meanwhile is told', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await alice.client.subscribeUsersStatus([bob.id]);
  const refused = world.server.faults.refuseHandshakes({ userID: alice.id, code: 1601 });
  const lost = once(alice.client, 'OnConnectFailed');
  world.server.faults.closeConnections({ userID: alice.id });
  await lost;
  await bob.client.logout();
  refused.clear();
  await alice.client.networkStatusChanged();
  assert.deepEqual(await alice.recording.heard('OnUserStatusChanged'), { userID: bob.id, status: 0, platformIDs: [] });
});
