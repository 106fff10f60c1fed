// Profiles, and what the server knows of a device.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from 'openim-node';
import { needsFaultLever, openAdmin } from './support/servers.mjs';
import { forward, startStub } from './support/stub-api.mjs';
import { World, say } from './support/world.mjs';

test('the own profile: only what is given changes, every own device hears it', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const phone = await world.enter('alice', { platformID: Platform.Web });
  await alice.client.setSelfInfo({ ex: '{"status":"busy"}', globalRecvMsgOpt: 2 });
  const expected = { ...(await alice.client.getSelfUserInfo()), nickname: 'alice', ex: '{"status":"busy"}', globalRecvMsgOpt: 2 };
  assert.deepEqual(alice.recording.of('OnSelfInfoUpdated'), [expected]);
  assert.deepEqual(await phone.recording.heard('OnSelfInfoUpdated'), expected);
  await alice.client.setSelfInfo({ faceURL: '' });
  assert.equal((await alice.client.getSelfUserInfo()).faceURL, '');
});

test('a stranger who renamed himself shows under his new name once he writes', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await say(bob, alice, 'hello');
  await alice.recording.heard('OnNewConversation');
  await bob.client.setSelfInfo({ nickname: 'Robert' });
  // the known profile is old by now
  world.server.faults.shiftClock(120_000);
  await say(bob, alice, 'it is still me');
  await alice.recording.heard('OnConversationChanged', ([row]) => row.showName === 'Robert');
});

test('the client configuration, the badge and the push token reach the server', async (t) => {
  const world = await World.start(t);
  // the server has no way to ask for a badge or a push token: what is sent to it is looked at
  const proxy = await startStub(t, (path, body, headers) => forward(world.server.addresses, path, body, headers));
  const alice = await world.enter('alice', { apiAddr: proxy.apiAddr });
  const admin = await openAdmin(world.server);
  await admin.setUserClientConfig({ userID: alice.id, configs: { theme: 'dark' } });
  assert.equal((await alice.client.getUserClientConfig()).theme, 'dark');
  await alice.client.setAppBadge(7);
  const expireTime = Date.now() + 1000;
  await alice.client.updateFcmToken({ fcmToken: 'device-1', expireTime });
  const [badge] = proxy.of('/third/set_app_badge');
  assert.deepEqual(badge.body, { userID: alice.id, appUnreadCount: 7 });
  const [token] = proxy.of('/third/fcm_update_token');
  assert.deepEqual(token.body, { platformID: Platform.Linux, fcmToken: 'device-1', account: alice.id, expireTime });
});
