import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { MessageStatus, MessageType, Platform } from 'openim-node';
import { Admin } from 'openim-node/admin';
import { needsOwnServer, openAdmin } from './support/servers.mjs';
import { World, say, settled, textOf } from './support/world.mjs';

/** A server, its administrator, and who is registered on it. */
async function worldAndAdmin(t, ...names) {
  const world = await World.start(t);
  for (const name of names) await world.register(name);
  return { world, admin: await openAdmin(world.server) };
}

const SMALL = { type: 'image/png', size: 10, width: 1, height: 1, url: 'https://files.example/a.png', uuid: 'u' };

/** A message of each kind that the API takes, and what of it arrives. */
const KINDS = [
  [MessageType.TextMessage, { content: 'hello 你好' }, ({ textElem }) => textElem.content],
  [
    MessageType.PictureMessage,
    { sourcePicture: SMALL, bigPicture: SMALL, snapshotPicture: SMALL },
    ({ pictureElem }) => pictureElem.sourcePicture.url,
  ],
  [
    MessageType.VoiceMessage,
    { sourceUrl: 'https://files.example/a.ogg', duration: 3 },
    ({ soundElem }) => soundElem.duration,
  ],
  [
    MessageType.VideoMessage,
    {
      videoUrl: 'https://files.example/a.mp4', videoType: 'video/mp4', videoSize: 9, duration: 2,
      snapshotUrl: 'https://files.example/a.png', snapshotWidth: 1, snapshotHeight: 1,
    },
    ({ videoElem }) => videoElem.videoUrl,
  ],
  [
    MessageType.FileMessage,
    { sourceUrl: 'https://files.example/a.pdf', fileName: 'a.pdf', fileSize: 9 },
    ({ fileElem }) => fileElem.fileName,
  ],
  [MessageType.AtTextMessage, { text: '@bob', atUserList: ['bob'] }, ({ atTextElem }) => atTextElem.text],
  [MessageType.CustomMessage, { data: '{"a":1}', description: 'd' }, ({ customElem }) => customElem.data],
  [MessageType.QuoteMessage, { text: 'as I said' }, ({ quoteElem }) => quoteElem.text],
  [MessageType.MarkdownMessage, { content: '# Title' }, ({ markdownTextElem }) => markdownTextElem.content],
];

test('accounts are registered all or none, and read back', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice');
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => world.id(name));
  await assert.rejects(admin.registerUsers([{ userID: bob, nickname: 'Bob' }, { userID: alice, nickname: 'A' }]), {
    errCode: 1102, errMsg: 'RegisteredAlreadyError',
  });
  assert.deepEqual(await admin.accountCheck([alice, bob]), [
    { userID: alice, accountStatus: 1 }, { userID: bob, accountStatus: 0 },
  ]);
  await admin.registerUsers([
    { userID: bob, nickname: 'Bob', faceURL: 'https://faces.example/b', ex: '{"tier":1}', globalRecvMsgOpt: 2 },
    { userID: carol, nickname: 'Carol' },
  ]);
  const found = await admin.getUsersInfo([bob, carol, world.id('nobody')]);
  const [first, second] = found.sort((a, b) => a.nickname.localeCompare(b.nickname));
  const { createTime, ...rest } = first;
  assert.ok(createTime > 1_600_000_000_000, 'ms');
  assert.deepEqual(rest, {
    userID: bob, nickname: 'Bob', faceURL: 'https://faces.example/b', ex: '{"tier":1}', appMangerLevel: 0,
    globalRecvMsgOpt: 2,
  });
  assert.deepEqual([second.userID, second.faceURL], [carol, '']);
  await assert.rejects(admin.registerUsers([{ userID: 'a-b', nickname: 'x' }]), {
    code: 'OPENIM_SERVER_ARGS', errCode: 1001, errMsg: 'ArgsError',
  });
});

test('a profile is changed, and its owner is told', async (t) => {
  const { world, admin } = await worldAndAdmin(t);
  const alice = await world.enter('alice');
  await admin.updateUserInfo({ userID: alice.id, nickname: 'Alice II', ex: 'x' });
  const told = await alice.recording.heard('OnSelfInfoUpdated', ({ nickname }) => nickname === 'Alice II');
  assert.equal(told.ex, 'x');
  const [info] = await admin.getUsersInfo([alice.id]);
  assert.deepEqual([info.nickname, info.faceURL], ['Alice II', 'https://faces.example/alice.png']);
  await admin.updateUserInfo({ userID: alice.id, faceURL: '', globalRecvMsgOpt: 0 });
  assert.equal((await admin.getUsersInfo([alice.id]))[0].faceURL, '');
  await assert.rejects(admin.updateUserInfo({ userID: world.id('nobody'), nickname: 'x' }), { errCode: 1004 });
});

test('users are counted, listed in pages and searched', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice', 'bob');
  const { total, userIDs } = await admin.getAllUserIDs({ pageNumber: 1, showNumber: 2 });
  assert.equal(userIDs.length, 2);
  assert.ok(total >= 3, 'alice, bob and the administrator');
  const beyond = await admin.getAllUserIDs({ pageNumber: total + 1, showNumber: 1 });
  assert.deepEqual(beyond, { total, userIDs: [] });
  const page = { pageNumber: 1, showNumber: 10 };
  const found = await admin.getUsers({ ...page, userID: world.id('alice') });
  assert.deepEqual([found.total, found.users.map(({ nickname }) => nickname)], [1, ['alice']]);
  assert.deepEqual(await admin.getUsers({ ...page, userID: world.id('nobody') }), { total: 0, users: [] });
  assert.ok((await admin.getUsers({ ...page, nickname: 'bob' })).total >= 1);
  assert.ok((await admin.getUsers(page)).total >= 2);
});

test('friends are imported, counted and removed on one side', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice', 'bob', 'carol');
  const [alice, bob, carol, nobody] = ['alice', 'bob', 'carol', 'nobody'].map((name) => world.id(name));
  assert.deepEqual(await admin.getFriendIDs(alice), []);
  await assert.rejects(admin.importFriends({ ownerUserID: alice, friendUserIDs: [bob, nobody] }), { errCode: 1004 });
  assert.deepEqual(await admin.getFriendIDs(alice), [], 'all or none');
  await admin.importFriends({ ownerUserID: alice, friendUserIDs: [bob, carol] });
  await admin.importFriends({ ownerUserID: alice, friendUserIDs: [bob] });
  assert.deepEqual(await admin.getFriendIDs(alice), [bob, carol]);
  assert.deepEqual(await admin.getFriendIDs(bob), [alice]);
  await admin.deleteFriend({ ownerUserID: bob, friendUserID: alice });
  assert.deepEqual(
    await admin.isFriend({ userID1: alice, userID2: bob }), { inUser1Friends: true, inUser2Friends: false },
  );
  await assert.rejects(admin.importFriends({ ownerUserID: alice, friendUserIDs: bob }), {
    code: 'OPENIM_ARGS', field: 'friendUserIDs',
  });
});

test('who is on a black list cannot write to its owner', async (t) => {
  const { world, admin } = await worldAndAdmin(t);
  const alice = await world.enter('alice');
  const bob = await world.enter('bob');
  await admin.addBlack({ ownerUserID: bob.id, blackUserID: alice.id });
  await assert.rejects(say(alice, bob, 'refused'), { errCode: 1302 });
  await say(bob, alice, 'the other way');
  await assert.rejects(admin.addBlack({ ownerUserID: bob.id, blackUserID: alice.id }), { errCode: 500 });
  await admin.removeBlack({ ownerUserID: bob.id, blackUserID: alice.id });
  await say(alice, bob, 'again');
});

test('a token is issued, understood, and ended by a forced logout', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice');
  const login = { userID: world.id('alice'), platformID: Platform.Linux };
  const { token, expireTimeSeconds } = await admin.getUserToken(login);
  assert.ok(expireTimeSeconds > 0);
  const parsed = await admin.parseToken(token);
  assert.deepEqual([parsed.userID, parsed.platformID], [login.userID, Platform.Linux]);
  assert.ok(parsed.expireTime > await admin.getServerTime());

  const alice = await world.enter('alice');
  assert.deepEqual(await admin.getUsersOnlineStatus([login.userID, world.id('nobody')]).then(
    (list) => list.map(({ status, detailPlatformStatus }) => [status, detailPlatformStatus.map((d) => d.platformID)]),
  ), [[1, [Platform.Linux]], [0, []]]);
  await admin.forceLogout(login);
  await alice.recording.heard('OnKickedOffline');
  await assert.rejects(admin.parseToken(alice.token), { code: 'OPENIM_KICKED_OFFLINE', errCode: 1506 });
  await assert.rejects(admin.parseToken('not.a.token'), { code: 'OPENIM_TOKEN_INVALID', errCode: 1503 });
  await assert.rejects(admin.getUserToken({ ...login, userID: world.id('nobody') }), { errCode: 1004 });
});

test('a message of every kind arrives in the name of its sender', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice');
  const bob = await world.enter('bob');
  const [{ nickname }] = await bob.client.getUsersInfo([world.id('alice')]);
  for (const [contentType, content, elem] of KINDS) {
    bob.recording.clear();
    const sent = await admin.sendMessage({
      sendID: world.id('alice'), recvID: bob.id, senderNickname: 'Alice', senderPlatformID: Platform.Web, ex: 'e',
      contentType, content,
    });
    const [message] = await bob.recording.messages(1);
    assert.equal(message.contentType, contentType);
    assert.equal(elem(message), elem({ ...message, ...elemOf(message, content) }));
    assert.deepEqual(
      [message.clientMsgID, message.serverMsgID, message.sendTime],
      [sent.clientMsgID, sent.serverMsgID, sent.sendTime],
    );
    assert.deepEqual(
      [message.sendID, message.senderNickname, message.senderPlatformID, message.msgFrom, message.ex, message.status],
      // the name that bob knows, and not the one that this message was given
      [world.id('alice'), nickname, Platform.Web, 200, 'e', MessageStatus.Succeed],
    );
  }
});

/** What was sent as the element of a received message. */
function elemOf(message, content) {
  const key = Object.keys(message).find((name) => name.endsWith('Elem') && name !== 'attachedInfoElem');
  return { [key]: content };
}

test('an online-only message is stored nowhere', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice');
  const bob = await world.enter('bob');
  await admin.sendMessage({
    sendID: world.id('alice'), recvID: bob.id, contentType: 101, content: { content: 'now' }, isOnlineOnly: true,
  });
  assert.equal(textOf((await bob.recording.heard('OnRecvOnlineOnlyMessages'))[0]), 'now');
  assert.deepEqual(await bob.client.getAllConversationList(), []);
});

test('who cannot be reached refuses the message, and its outcome is known afterwards', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice', 'bob');
  const message = { sendID: world.id('alice'), contentType: 101, content: { content: 'x' } };
  const [good, bad] = [randomUUID(), randomUUID()];
  await admin.sendMessage({ ...message, recvID: world.id('bob') }, { operationID: good });
  await assert.rejects(admin.sendMessage({ ...message, recvID: world.id('nobody') }, { operationID: bad }), {
    code: 'OPENIM_RECORD_NOT_FOUND', errCode: 1004, operationID: bad,
  });
  await assert.rejects(admin.sendMessage({ ...message, groupID: 'no_such_group' }), { errCode: 1004 });
  assert.deepEqual(
    await Promise.all([good, bad, randomUUID()].map((operationID) => admin.getSendStatus(operationID))),
    [MessageStatus.Succeed, MessageStatus.Failed, 0],
  );
});

test('a batch reaches those who exist and names the others', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'news');
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const { results, failedUserIDs } = await admin.batchSendMessage({
    sendID: world.id('news'), recvIDs: [alice.id, world.id('nobody'), bob.id],
    contentType: MessageType.TextMessage, content: { content: 'to all of you' },
  });
  assert.deepEqual(failedUserIDs, [world.id('nobody')]);
  assert.deepEqual(results.map(({ recvID }) => recvID), [alice.id, bob.id]);
  for (const [person, { serverMsgID }] of [[alice, results[0]], [bob, results[1]]]) {
    const [message] = await person.recording.messages(1);
    assert.deepEqual([textOf(message), message.serverMsgID], ['to all of you', serverMsgID]);
  }
});

test('a batch to all reaches everybody', { skip: needsOwnServer }, async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'news', 'bob');
  const alice = await world.enter('alice');
  const { results } = await admin.batchSendMessage({
    sendID: world.id('news'), isSendAll: true, contentType: 101, content: { content: 'to everybody' },
  });
  assert.equal(results.length, (await admin.getAllUserIDs({ pageNumber: 1, showNumber: 1 })).total);
  assert.equal(textOf((await alice.recording.messages(1))[0]), 'to everybody');
});

test('a notification account is made, changed and found, cannot log in, and sends OA notifications', async (t) => {
  const { world, admin } = await worldAndAdmin(t);
  const bob = await world.enter('bob');
  const userID = world.id('notice');
  const account = { userID, nickname: 'Notice', faceURL: 'https://faces.example/n.png', appMangerLevel: 3 };
  assert.deepEqual(await admin.addNotificationAccount(account), account);
  await assert.rejects(admin.addNotificationAccount(account), { code: 'OPENIM_SERVER_ARGS' });
  assert.match((await admin.addNotificationAccount({ nickname: 'Robot', appMangerLevel: 4 })).userID, /^\d+$/);
  await admin.updateNotificationAccount({ userID, nickname: 'News' });
  assert.deepEqual(await admin.searchNotificationAccounts({ keyword: userID, pageNumber: 1, showNumber: 5 }), {
    total: 1, accounts: [{ ...account, nickname: 'News' }],
  });
  await assert.rejects(admin.getUserToken({ userID, platformID: Platform.Linux }), { errCode: 1001 });

  const content = { notificationName: 'Maintenance', notificationType: 1, text: 'tonight', mixType: 0 };
  await admin.sendMessage({ sendID: userID, recvID: bob.id, contentType: MessageType.OANotification, content });
  const [message] = await bob.recording.messages(1);
  assert.deepEqual([message.contentType, message.sessionType], [1400, 4]);
  assert.deepEqual(JSON.parse(message.notificationElem.detail), content);
});

test('a business notification can be a chat message too, and can be stored', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'shop');
  const bob = await world.enter('bob');
  const order = { sendUserID: world.id('shop'), recvUserID: bob.id, key: 'order', data: '{"id":7}' };
  const { clientMsgID } = await admin.sendBusinessNotification({ ...order, sendMsg: true });
  const [message] = await bob.recording.messages(1);
  assert.deepEqual([message.contentType, message.clientMsgID], [2001, clientMsgID]);
  assert.deepEqual(JSON.parse(message.notificationElem.detail), { key: 'order', data: '{"id":7}' });

  const stored = await admin.sendBusinessNotification({ ...order, data: 'paid', reliabilityLevel: 2 });
  const conversationID = `n_${[order.sendUserID, bob.id].sort().join('_')}`;
  const { notificationMsgs } = await admin.post('/msg/pull_msg_by_seq', {
    userID: bob.id, seqRanges: [{ conversationID, begin: 1, end: 1, num: 1 }], order: 0,
  });
  assert.deepEqual(notificationMsgs[conversationID].Msgs.map((one) => one.serverMsgID), [stored.serverMsgID]);
  await assert.rejects(admin.sendBusinessNotification({ ...order, recvUserID: '', recvGroupID: 'no_such_group' }), {
    errCode: 1004,
  });
});

test('a business notification that is not stored is no message', async (t) => {
  const { world, admin } = await worldAndAdmin(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const sent = await admin.sendBusinessNotification({ sendUserID: alice.id, recvUserID: bob.id, key: 'k', data: '' });
  assert.notEqual(sent.serverMsgID, '');
  await say(alice, bob, 'after it');
  await settled(alice, bob);
  assert.deepEqual((await bob.recording.messages(1)).map(textOf), ['after it']);
});

test("the client configuration is set, read and deleted, a user's own over the one for all", async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice');
  const userID = world.id('alice');
  const key = world.id('key');
  await admin.setUserClientConfig({ userID, configs: { [key]: 'v' } });
  assert.equal((await admin.getUserClientConfig(userID))[key], 'v');
  assert.equal((await admin.getUserClientConfig(''))[key], undefined);
  await admin.deleteUserClientConfig({ userID, keys: [key] });
  assert.equal((await admin.getUserClientConfig(userID))[key], undefined);
  await assert.rejects(admin.getUserClientConfig(world.id('nobody')), { errCode: 1004 });
});

test("what is not there is not supported, and what is there can be asked for", async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice');
  await assert.rejects(admin.post('/no/such/path'), { code: 'OPENIM_NOT_SUPPORTED', errCode: 10301 });
  const { statusList } = await admin.post('/user/get_users_status', { userID: '', userIDs: [world.id('alice')] });
  assert.deepEqual(statusList, [{ userID: world.id('alice'), status: 0, platformIDs: null }]);
});

test('a wrong secret and a stranger are refused by their own names', async (t) => {
  const { world, admin } = await worldAndAdmin(t);
  const { apiAddr } = world.server.addresses;
  const wrong = await Admin.open({ apiAddr, secret: 'wrong' });
  for (const call of [() => wrong.getAdminToken(), () => wrong.getServerTime()]) {
    await assert.rejects(call(), {
      code: 'OPENIM_NO_PERMISSION', errCode: 1002, errMsg: 'NoPermissionError', errDlt: 'secret invalid',
    });
  }
  assert.notEqual(await admin.getAdminToken(), '');
});

test('a token that the server ended is renewed by the next call', { skip: needsOwnServer }, async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice');
  const token = await admin.getAdminToken();
  // the facade asks for devices of users only
  const logout = { userID: 'imAdmin', platformID: Platform.Admin };
  await admin.post('/auth/force_logout', logout);
  await assert.rejects(admin.parseToken(token), { errCode: 1506 });
  const [alice] = await Promise.all([
    admin.getUsersInfo([world.id('alice')]), admin.getServerTime(), admin.getServerTime(),
  ]);
  assert.equal(alice.length, 1);
  assert.notEqual(await admin.getAdminToken(), token);
});

test('a server that is down, and one that comes back without its tokens', { skip: needsOwnServer }, async (t) => {
  const { world, admin } = await worldAndAdmin(t);
  await admin.getAdminToken();
  await world.server.stop();
  await assert.rejects(admin.getServerTime(), { code: 'OPENIM_NETWORK', errCode: 10000, retryable: true });
  // in memory: it knows no token of before
  await world.server.restart();
  assert.ok(await admin.getServerTime() > 0);
});

test('an aborted call rejects with the reason, and the next one works', async (t) => {
  const { world, admin } = await worldAndAdmin(t, 'alice');
  const stop = new AbortController();
  const call = admin.getUsersInfo([world.id('alice')], { signal: stop.signal, operationID: 'aborted-call' });
  stop.abort('changed my mind');
  await assert.rejects(call, { code: 'OPENIM_ABORTED', cause: 'changed my mind', operationID: 'aborted-call' });
  assert.equal((await admin.getUsersInfo([world.id('alice')])).length, 1);
});
