// Friends: the list, what a user does with it, and what each side hears.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from 'openim-node';
import { befriend } from './support/people.mjs';
import { until } from './support/recording.mjs';
import { needsFaultLever } from './support/servers.mjs';
import { World, settled } from './support/world.mjs';

/** What a device heard of people since it was cleared: names, and whom it was about. */
const heard = ({ recording }) => recording.events
  .filter(([name]) => /^On(Friend|Black|Self)/.test(name))
  .map(([name, { userID, fromUserID, handleResult }]) => (fromUserID ? [name, handleResult] : [name, userID]));

const names = (friends) => friends.map(({ userID }) => userID);

test('two become friends: both hear it, on all their devices, acceptance before friendship', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const phone = await world.enter('alice', { platformID: Platform.Web });
  await alice.client.addFriend({ toUserID: bob.id, reqMsg: 'it is me' });
  const application = await bob.recording.heard('OnFriendApplicationAdded');
  assert.deepEqual(
    [application.fromUserID, application.fromNickname, application.toUserID, application.reqMsg, application.handleResult],
    [alice.id, 'alice', bob.id, 'it is me', 0],
  );
  await bob.client.acceptFriendApplication({ toUserID: alice.id, handleMsg: 'welcome' });
  for (const device of [alice, phone, bob]) await device.recording.heard('OnFriendAdded');
  await settled(bob, alice);
  await settled(alice, bob);
  for (const [device, friend] of [[alice, bob], [phone, bob], [bob, alice]]) {
    assert.deepEqual(heard(device), [
      ['OnFriendApplicationAdded', 0], ['OnFriendApplicationAccepted', 1], ['OnFriendAdded', friend.id],
    ]);
    const [{ handleMsg, handlerUserID }] = device.recording.of('OnFriendApplicationAccepted');
    assert.deepEqual([handleMsg, handlerUserID], ['welcome', bob.id]);
    const [row] = await device.client.getFriendList();
    assert.deepEqual([row.ownerUserID, row.userID, row.remark, row.addSource], [device.id, friend.id, '', 2]);
    assert.ok(Math.abs(row.createTime - Date.now()) < 3_600_000, 'milliseconds');
  }
  assert.deepEqual(await alice.client.checkFriend([bob.id, world.id('nobody')]), [
    { userID: bob.id, result: 1 }, { userID: world.id('nobody'), result: 0 },
  ]);
});

test('a remark and a pin: the own devices hear it, and the conversation carries the remark', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const phone = await world.enter('alice', { platformID: Platform.Web });
  await befriend(alice, bob);
  await phone.recording.heard('OnFriendAdded');
  await settled(bob, alice);
  for (const { recording } of [alice, phone, bob]) recording.clear();
  await alice.client.updateFriends({ friendUserIDs: [bob.id, world.id('nobody')], remark: 'Bobby', isPinned: true, ex: '{}' });
  const changed = await phone.recording.heard('OnFriendInfoChanged');
  assert.deepEqual([changed.userID, changed.remark, changed.isPinned, changed.ex], [bob.id, 'Bobby', true, '{}']);
  assert.equal(changed.nickname, 'bob');
  await phone.recording.heard('OnConversationChanged', ([row]) => row.showName === 'Bobby');
  const one = await alice.client.getOneConversation({ sourceID: bob.id, sessionType: 1 });
  assert.equal(one.showName, 'Bobby');
  assert.deepEqual(heard(alice), [['OnFriendInfoChanged', bob.id]]);
  await alice.client.updateFriends({ friendUserIDs: [bob.id], remark: '' });
  assert.equal((await alice.client.getOneConversation({ sourceID: bob.id, sessionType: 1 })).showName, 'bob');
  await settled(alice, bob);
  assert.deepEqual(heard(bob), [], 'a remark is the own affair');
});

test('a friend renames himself: list, conversation, its latest message and history show it at once', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await befriend(alice, bob);
  const message = bob.client.createTextMessage('before');
  await bob.client.sendMessage({ recvID: alice.id, message });
  await alice.recording.heard('OnRecvNewMessages', (list) => list.some(({ clientMsgID }) => clientMsgID === message.clientMsgID));
  alice.recording.clear();
  bob.recording.clear();
  await bob.client.setSelfInfo({ nickname: 'Robert', faceURL: 'https://faces.example/robert.png' });
  assert.deepEqual(bob.recording.of('OnSelfInfoUpdated').map(({ nickname }) => nickname), ['Robert']);
  assert.equal((await bob.client.getSelfUserInfo()).nickname, 'Robert');
  const changed = await alice.recording.heard('OnFriendInfoChanged');
  assert.deepEqual([changed.userID, changed.nickname], [bob.id, 'Robert']);
  const [row] = await alice.recording.heard('OnConversationChanged', ([first]) => first.showName === 'Robert');
  assert.deepEqual([row.faceURL, row.latestMsg.senderNickname], ['https://faces.example/robert.png', 'Robert']);
  const { messageList } = await alice.client.getAdvancedHistoryMessageList({
    conversationID: world.chat('alice', 'bob'), count: 20,
  });
  const own = messageList.find(({ clientMsgID }) => clientMsgID === message.clientMsgID);
  assert.deepEqual([own.senderNickname, own.senderFaceUrl], ['Robert', 'https://faces.example/robert.png']);
  assert.equal(heard(alice).filter(([name]) => name === 'OnFriendInfoChanged').length, 1);
});

test('deleting is one-sided: the other keeps his friend and hears nothing', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const phone = await world.enter('alice', { platformID: Platform.Web });
  await befriend(alice, bob);
  await phone.recording.heard('OnFriendAdded');
  await settled(alice, bob);
  for (const { recording } of [alice, phone, bob]) recording.clear();
  await alice.client.deleteFriend(bob.id);
  assert.deepEqual(heard(alice), [['OnFriendDeleted', bob.id]]);
  assert.equal((await phone.recording.heard('OnFriendDeleted')).nickname, 'bob');
  await settled(alice, bob);
  assert.deepEqual(heard(bob), []);
  assert.deepEqual(await alice.client.getFriendList(), []);
  assert.deepEqual(names(await bob.client.getFriendList()), [alice.id]);
});

test('pages in the order of the server, without those on the black list where asked', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const others = [];
  for (const name of ['bob', 'carol', 'dave', 'eve']) {
    const other = await world.enter(name);
    await befriend(alice, other);
    others.push(other.id);
  }
  const [bob, carol, dave, eve] = others;
  await alice.client.updateFriends({ friendUserIDs: [dave], isPinned: true });
  assert.deepEqual(names(await alice.client.getFriendList()), [dave, bob, carol, eve]);
  await alice.client.addBlack({ toUserID: bob });
  assert.deepEqual(names(await alice.client.getFriendList(true)), [dave, carol, eve]);
  assert.deepEqual(names(await alice.client.getFriendListPage({ offset: 1, count: 2, filterBlack: true })), [carol, eve]);
  assert.deepEqual(names(await alice.client.getFriendListPage({ offset: 1, count: 2 })), [bob, carol]);
  const chosen = { friendUserIDList: [eve, world.id('nobody'), bob] };
  assert.deepEqual(names(await alice.client.getSpecifiedFriendsInfo(chosen)), [eve, bob]);
  assert.deepEqual(names(await alice.client.getSpecifiedFriendsInfo({ ...chosen, filterBlack: true })), [eve]);
  assert.deepEqual(await alice.client.checkFriend([bob, eve]), [{ userID: bob, result: 0 }, { userID: eve, result: 1 }]);
});

test('a search finds what has every keyword, in whatever case, in the fields that are switched on', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  const [bob, carol] = [await world.enter('bob'), await world.enter('carol')];
  for (const other of [bob, carol]) await befriend(alice, other);
  await alice.client.updateFriends({ friendUserIDs: [carol.id], remark: 'Größe 100%' });
  await alice.client.addBlack({ toUserID: bob.id });
  const search = async (keywordList, switches) => (
    (await alice.client.searchFriends({ keywordList, ...switches })).map(({ userID, relationship }) => [userID, relationship])
  );
  assert.deepEqual(await search(['BO'], { isSearchNickname: true }), [[bob.id, 0]]);
  assert.deepEqual(await search(['gröSSE'.replace('SS', 'ß'), '0%'], { isSearchRemark: true }), [[carol.id, 1]]);
  assert.deepEqual(await search(['%'], { isSearchNickname: true, isSearchUserID: true }), []);
  assert.deepEqual(await search(['carol', 'größe'], { isSearchNickname: true, isSearchRemark: true }), [[carol.id, 1]]);
  assert.deepEqual(await search(['carol', 'größe'], { isSearchNickname: true }), []);
});

test('what happened while a device was away is told once when it comes back, and survives a restart', async (t) => {
  const world = await World.start(t);
  const dataDir = world.folder();
  const away = await world.enter('alice', { platformID: Platform.Web, dataDir });
  const alice = await world.enter('alice');
  const [bob, carol] = [await world.enter('bob'), await world.enter('carol')];
  await befriend(alice, bob);
  await away.recording.heard('OnFriendAdded');
  await away.client.close();
  await befriend(alice, carol);
  await alice.client.deleteFriend(bob.id);
  await carol.client.setSelfInfo({ nickname: 'Caroline' });
  await alice.recording.heard('OnFriendInfoChanged', ({ nickname }) => nickname === 'Caroline');
  const back = await world.enter('alice', { platformID: Platform.Web, dataDir });
  assert.deepEqual(heard(back).filter(([name]) => !name.includes('Application')), [
    ['OnFriendDeleted', bob.id], ['OnFriendAdded', carol.id],
  ]);
  assert.deepEqual((await back.client.getFriendList()).map(({ nickname }) => nickname), ['Caroline']);
  await back.client.close();
  const again = await world.enter('alice', { platformID: Platform.Web, dataDir });
  assert.deepEqual(heard(again), []);
});

test('a new device hears of nothing and has everything', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await befriend(alice, bob);
  await alice.client.addBlack({ toUserID: bob.id });
  const fresh = await world.enter('alice', { platformID: Platform.Web });
  assert.deepEqual(heard(fresh), []);
  assert.deepEqual(names(await fresh.client.getFriendList()), [bob.id]);
  assert.deepEqual(names(await fresh.client.getBlackList()), [bob.id]);
  assert.equal((await fresh.client.getFriendApplicationListAsApplicant())[0].handleResult, 1);
});

test('a new device hears of nothing, whatever it asks for before it is in step', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const carol = await world.enter('carol');
  await befriend(alice, bob);
  await alice.client.addBlack({ toUserID: carol.id });
  for (const ask of [
    ({ client }) => client.getFriendApplicationUnhandledCount(),
    ({ client }) => client.getFriendApplicationListAsRecipient(),
    ({ client }) => client.updateFriends({ friendUserIDs: [bob.id], ex: '1' }),
    ({ client }) => client.addBlack({ toUserID: carol.id }),
  ]) {
    const fresh = await world.enter('alice', { platformID: Platform.Web, waitUntil: 'local' });
    await ask(fresh);
    await fresh.recording.heard('OnSyncServerFinish');
    assert.deepEqual(heard(fresh), []);
    assert.deepEqual(names(await fresh.client.getFriendList()), [bob.id]);
    await fresh.client.close();
  }
});

test('a list that could not be read at first is no news when it is', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await befriend(alice, bob);
  await alice.client.addBlack({ toUserID: bob.id });
  const { faults } = world.server;
  const paths = ['/friend/get_incremental_friends', '/friend/get_black_list', '/friend/get_friend_apply_list'];
  for (const path of paths) faults.refuseRequests({ path, userID: alice.id, code: 500, count: 1 });
  const fresh = await world.enter('alice', { platformID: Platform.Web });
  // the second comparison reads them
  await until('the lists are there', async () => (
    (await fresh.client.getBlackList()).length === 1 && (await fresh.client.getFriendList()).length === 1
  ));
  assert.deepEqual(heard(fresh), []);
  await bob.client.setSelfInfo({ nickname: 'Robert' });
  assert.equal((await fresh.recording.heard('OnFriendInfoChanged')).nickname, 'Robert');
});

test('who is not known as a friend yet is asked for, also without those on the black list', { skip: needsFaultLever }, async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await alice.client.addFriend({ toUserID: bob.id });
  await bob.recording.heard('OnFriendApplicationAdded');
  // past the second comparison, which would bring it as well
  await settled(bob, alice);
  const lost = world.server.faults.dropPushes({ to: alice.id });
  await bob.client.acceptFriendApplication({ toUserID: alice.id });
  assert.deepEqual(names(await alice.client.getSpecifiedFriendsInfo({ friendUserIDList: [bob.id], filterBlack: true })), [bob.id]);
  lost.clear();
});

test('wrong parameters name the field and change nothing', async (t) => {
  const world = await World.start(t);
  const alice = await world.enter('alice');
  for (const [call, field] of [
    [() => alice.client.updateFriends({ friendUserIDs: [], remark: '' }), 'friendUserIDs'],
    [() => alice.client.updateFriends({ friendUserIDs: ['x'] }), 'isPinned'],
    [() => alice.client.updateFriends({ friendUserIDs: Array(1001).fill('x'), remark: '' }), 'friendUserIDs'],
    [() => alice.client.deleteFriend(''), 'userID'],
    [() => alice.client.checkFriend(['']), 'userIDList'],
    [() => alice.client.searchFriends({ keywordList: [], isSearchNickname: true }), 'keywordList'],
    [() => alice.client.searchFriends({ keywordList: ['x'] }), 'isSearchUserID'],
    [() => alice.client.getFriendListPage({ offset: -1, count: 1 }), 'offset'],
    [() => alice.client.setSelfInfo({}), 'nickname'],
    [() => alice.client.setSelfInfo({ globalRecvMsgOpt: 3 }), 'globalRecvMsgOpt'],
    [() => alice.client.addFriend({ toUserID: '' }), 'toUserID'],
    [() => alice.client.acceptFriendApplication({ toUserID: '' }), 'toUserID'],
    [() => alice.client.addBlack({ toUserID: alice.id }), 'toUserID'],
    [() => alice.client.subscribeUsersStatus(['']), 'userIDList'],
    [() => alice.client.setAppBadge(-1), 'appUnreadCount'],
    [() => alice.client.updateFcmToken({ fcmToken: '' }), 'fcmToken'],
  ]) {
    await assert.rejects(call(), { code: 'OPENIM_ARGS', field }, field);
  }
  assert.deepEqual(await alice.client.getFriendList(), []);
});
