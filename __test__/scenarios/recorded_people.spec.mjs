// What two published clients were seen to tell of people on OpenIM's own server, and what this one tells. Three users,
// each with a second device, one action at a time, as it was recorded; events of a row are compared as a set, without
// repetitions. docs/deviations.md has every row that differs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from 'openim-node';
import { World, say, settled } from '../support/world.mjs';

/** An event with what the recording shows of its payload. */
function shown([name, payload], names) {
  const who = (id) => names.get(id) ?? id;
  const of = (details) => `${name}[${details}]`;
  switch (name) {
    case 'OnRecvNewMessages':
      return of(payload.map(({ contentType, sendID }) => `${contentType} from ${who(sendID)}`));
    case 'OnNewConversation':
    case 'OnConversationChanged':
      return of(payload.map(({ unreadCount, latestMsg }) => `unread ${unreadCount}, latest ${latestMsg.contentType} st ${latestMsg.status}`));
    case 'OnTotalUnreadMessageCountChanged':
      return of(payload);
    case 'OnFriendApplicationAdded':
      return of(payload.handleResult);
    case 'OnFriendApplicationAccepted':
    case 'OnFriendApplicationRejected':
      return of(`${payload.handleResult} ${payload.handleMsg}`);
    default:
      return of(who(payload?.userID));
  }
}

/**
 * The rows in their order. `A`, `B`, `C`: the column of the native client for that user's device. `A2`, `B2`, `C2`: the
 * user's other device, where it must hear something else than the first, which acted.
 */
const ROWS = [
  {
    row: 'A applies to B',
    act: ({ A, B }) => A.client.addFriend({ toUserID: B.id, reqMsg: 'hi' }),
    A: ['OnFriendApplicationAdded[0]'],
    B: ['OnFriendApplicationAdded[0]'],
  },
  {
    row: 'B accepts',
    act: ({ A, B }) => B.client.acceptFriendApplication({ toUserID: A.id, handleMsg: 'ok' }),
    A: [
      'OnRecvNewMessages[1201 from B]', 'OnConversationChanged[unread 2, latest 1201 st 2]',
      'OnTotalUnreadMessageCountChanged[2]', 'OnFriendApplicationAccepted[1 ok]', 'OnFriendAdded[B]',
    ],
    B: [
      'OnFriendAdded[A]', 'OnRecvNewMessages[1201 from B]', 'OnConversationChanged[unread 0, latest 1201 st 2]',
      'OnFriendApplicationAccepted[1 ok]',
    ],
  },
  {
    row: 'C applies to A',
    act: ({ A, C }) => C.client.addFriend({ toUserID: A.id, reqMsg: 'hi' }),
    A: ['OnFriendApplicationAdded[0]'],
    C: ['OnFriendApplicationAdded[0]'],
  },
  {
    row: 'A rejects C',
    act: ({ A, C }) => A.client.refuseFriendApplication({ toUserID: C.id, handleMsg: 'no' }),
    A: ['OnFriendApplicationRejected[-1 no]'],
    C: ['OnFriendApplicationRejected[-1 no]'],
  },
  {
    row: 'A deletes friend B',
    act: ({ A, B }) => A.client.deleteFriend(B.id),
    A: ['OnFriendDeleted[B]'],
  },
  {
    row: 'A adds C to the black list',
    act: ({ A, C }) => A.client.addBlack({ toUserID: C.id }),
    A: ['OnBlackAdded[C]'],
  },
  {
    row: 'C (blocked) sends to A',
    act: ({ A, C }) => assert.rejects(say(C, A, 'let me in'), { errCode: 1302, code: 'OPENIM_BLOCKED_BY_PEER' }),
    C: ['OnNewConversation[unread 0, latest 101 st 1]', 'OnConversationChanged[unread 0, latest 101 st 3]'],
    C2: [],
  },
  {
    row: 'A removes C from the black list',
    act: ({ A, C }) => A.client.removeBlack(C.id),
    A: ['OnBlackDeleted[C]'],
  },
];

test('each row: the events of the recorded native client, on both devices of each user', async (t) => {
  const world = await World.start(t);
  const devices = {};
  for (const name of ['A', 'B', 'C']) {
    devices[name] = await world.enter(name);
    devices[`${name}2`] = await world.enter(name, { platformID: Platform.Web });
  }
  const fence = await world.enter('fence');
  const names = new Map(['A', 'B', 'C'].map((name) => [world.id(name), name]));
  const rest = async () => {
    for (const device of Object.values(devices)) {
      await settled(fence, device);
      // asks for the friend list, after whatever asks for it already
      await device.client.getSpecifiedFriendsInfo({ friendUserIDList: ['nobody_at_all'] });
    }
  };
  // the talk that went before: A has one unread message of B's, B has read everything
  const { A, B } = devices;
  await say(A, B, 'one');
  await B.recording.messages(1);
  await say(B, A, 'two');
  await A.recording.messages(1);
  await say(A, B, 'three');
  await B.recording.messages(2);
  await B.client.markConversationMessageAsRead(world.chat('A', 'B'));
  await A.recording.heard('OnRecvC2CReadReceipt');
  await rest();
  assert.deepEqual([await A.client.getTotalUnreadMsgCount(), await B.client.getTotalUnreadMsgCount()], [1, 0]);

  for (const { row, act, ...columns } of ROWS) {
    for (const { recording } of Object.values(devices)) recording.clear();
    await act(devices);
    const column = (name) => columns[name] ?? columns[name[0]] ?? [];
    for (const [name, { recording }] of Object.entries(devices)) {
      for (const event of column(name)) await recording.heard(event.slice(0, event.indexOf('[')));
    }
    await rest();
    for (const [name, { recording }] of Object.entries(devices)) {
      // OnRecvNewMessage repeats what OnRecvNewMessages says, and the fences were not in the recording
      const told = recording.events.filter(([event]) => !/^OnRecv(NewMessage|OnlineOnlyMessages?)$/.test(event));
      const set = [...new Set(told.map((event) => shown(event, names)))];
      assert.deepEqual(set.sort(), [...column(name)].sort(), `${row}: ${name}`);
    }
  }
});

test('A applies, B accepts, first contact: acceptance before friendship, the message before its conversation', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await alice.client.addFriend({ toUserID: bob.id });
  await bob.recording.heard('OnFriendApplicationAdded');
  await bob.client.acceptFriendApplication({ toUserID: alice.id });
  for (const { recording } of [alice, bob]) {
    for (const name of ['OnFriendAdded', 'OnNewConversation']) await recording.heard(name);
    const order = recording.names.filter((name) => /^On(Friend|RecvNewMessages|NewConversation)/.test(name));
    assert.equal(order[0], 'OnFriendApplicationAdded');
    const at = (name) => order.indexOf(name);
    assert.ok(at('OnFriendApplicationAccepted') < at('OnFriendAdded'), `${order}`);
    assert.ok(at('OnRecvNewMessages') < at('OnNewConversation'), `${order}`);
    assert.equal(order.length, 5, `${order}`);
    assert.equal(recording.of('OnRecvNewMessages')[0][0].contentType, 1201);
  }
});
