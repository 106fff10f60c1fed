import assert from 'node:assert/strict';
import { EventEmitter, on, once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ok, openFake } from '../support/fake-binding.mjs';

const NOUNS = ['connection', 'user', 'friendship', 'group', 'conversation', 'message', 'signaling'];

/** Messages by their ids. */
const ids = (payload) => (Array.isArray(payload) ? payload.map(ids) : payload?.clientMsgID ?? payload);

/** Records what an emitter says about the given events. */
function record(emitter, ...events) {
  const heard = [];
  for (const event of events) emitter.on(event, (...args) => heard.push([event, ...args.map(ids)]));
  return heard;
}

/** What is thrown where nobody listens to `error`; the test runner must not take it for its own failure. */
async function uncaught(t, action) {
  const handlers = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  t.after(() => handlers.forEach((handler) => process.on('uncaughtException', handler)));
  const thrown = once(process, 'uncaughtException');
  action();
  return (await thrown)[0];
}

test('an event reaches the client and the emitter of its noun, and no other', async (t) => {
  const { client, native } = await openFake(t);
  const onClient = record(client, 'OnTotalUnreadMessageCountChanged');
  const onNoun = record(client.conversation, 'OnTotalUnreadMessageCountChanged');
  const elsewhere = NOUNS.filter((noun) => noun !== 'conversation')
    .map((noun) => record(client[noun], 'OnTotalUnreadMessageCountChanged'));
  native.batch([['OnTotalUnreadMessageCountChanged', 3]], 1);
  assert.deepEqual(onClient, [['OnTotalUnreadMessageCountChanged', 3]]);
  assert.deepEqual(onNoun, [['OnTotalUnreadMessageCountChanged', 3]]);
  assert.deepEqual(elsewhere.flat(), []);
  assert.ok(NOUNS.every((noun) => client[noun] instanceof EventEmitter));
});

test('an event without a payload calls its listeners without an argument', async (t) => {
  const { client, native } = await openFake(t);
  const heard = record(client.connection, 'OnConnecting', 'OnConnectFailed');
  native.batch([['OnConnecting', null], ['OnConnectFailed', { errCode: 10000, errMsg: 'refused' }]], 2);
  assert.deepEqual(heard, [['OnConnecting'], ['OnConnectFailed', { errCode: 10000, errMsg: 'refused' }]]);
});

test('single messages follow their list, in order, only for who listens to them', async (t) => {
  const { client, native } = await openFake(t);
  const heard = record(client, 'OnRecvNewMessages', 'OnRecvNewMessage', 'OnNewConversation');
  const single = record(client.message, 'OnRecvNewMessage');
  native.batch([['OnRecvNewMessages', [['a'], ['b']]], ['OnNewConversation', ['c']]], 2);
  assert.deepEqual(heard, [
    ['OnRecvNewMessages', ['a', 'b']],
    ['OnRecvNewMessage', 'a'],
    ['OnRecvNewMessage', 'b'],
    ['OnNewConversation', ['c']],
  ]);
  assert.deepEqual(single, [['OnRecvNewMessage', 'a'], ['OnRecvNewMessage', 'b']]);
});

test('messages cross without keys and get them again, with the element that they have', async (t) => {
  const { client, native } = await openFake(t);
  const heard = [];
  client.on('OnRecvNewMessage', (message) => heard.push(message));
  const given = { groupHasReadInfo: { hasReadUserIDList: ['b'], hasReadCount: 1, groupMemberCount: 2 }, hasReadTime: 3 };
  const values = (attachedInfoElem, element) => [
    'c', 's', 1, 2, 3, 'a', 'b', 100, 101, 7, 'Alice', 'a.png', 'g', 5, true, 2, null, '{}', attachedInfoElem, 'x', 'l', null,
    element,
  ];
  native.batch([['OnRecvNewMessages', [values(null, { textElem: { content: 'hi' } }), values(given, { content: '?' })]]], 1);
  const message = {
    clientMsgID: 'c', serverMsgID: 's', createTime: 1, sendTime: 2, sessionType: 3, sendID: 'a', recvID: 'b', msgFrom: 100,
    contentType: 101, senderPlatformID: 7, senderNickname: 'Alice', senderFaceUrl: 'a.png', groupID: 'g', seq: 5,
    isRead: true, status: 2, offlinePush: null, attachedInfo: '{}',
    attachedInfoElem: {
      groupHasReadInfo: { hasReadUserIDList: [], hasReadCount: 0, groupMemberCount: 0 },
      isPrivateChat: false, burnDuration: 0, hasReadTime: 0,
    },
    ex: 'x', localEx: 'l', sendError: null,
  };
  assert.deepEqual(heard, [
    { ...message, textElem: { content: 'hi' } }, { ...message, attachedInfoElem: given, content: '?' },
  ]);
});

for (const form of ['OnRecvOfflineNewMessage', 'OnRecvOnlineOnlyMessage']) {
  test(`${form} is made from its list form`, async (t) => {
    const { client, native } = await openFake(t);
    const heard = record(client.message, form);
    native.batch([[`${form}s`, [['a']]]], 1);
    assert.deepEqual(heard, [[form, 'a']]);
  });
}

test('the core is told of the first listener, once, and only of one for events', async (t) => {
  const { client, native } = await openFake(t);
  client.on('error', () => {});
  client.on('anything else', () => {});
  assert.equal(native.listens, 0);
  record(client.message, 'OnRecvNewMessages');
  record(client, 'OnConnecting');
  assert.equal(native.listens, 1);
});

test('while nobody listens an answer waits for no event', async (t) => {
  const { client, native } = await openFake(t);
  native.answer('getTotalUnreadMsgCount', ok(4, 17));
  assert.equal(await client.getTotalUnreadMsgCount(), 4);
});

for (const attach of ['once', 'addListener', 'prependListener', 'prependOnceListener']) {
  test(`${attach} counts as listening`, async (t) => {
    const { client, native } = await openFake(t);
    let heard = 0;
    client.connection[attach]('OnConnecting', () => { heard += 1; });
    assert.equal(native.listens, 1);
    native.batch([['OnConnecting', null]], 1);
    assert.equal(heard, 1);
    native.batch([['OnConnecting', null]], 2);
    assert.equal(heard, attach.includes('nce') ? 1 : 2);
  });
}

test('a listener that throws surfaces as an error event and stops nobody', async (t) => {
  const { client, native } = await openFake(t);
  const errors = record(client, 'error');
  client.on('OnConnecting', () => { throw new Error('first'); });
  const heard = record(client, 'OnConnecting', 'OnConnectSuccess');
  native.batch([['OnConnecting', null], ['OnConnectSuccess', null]], 2);
  assert.deepEqual(heard, [['OnConnecting'], ['OnConnectSuccess']]);
  assert.deepEqual(errors.map(([, error]) => error.message), ['first']);
  await nextTurn();
  assert.equal(native.credits, 1);
});

test('a rejected promise of a listener surfaces like a throw', async (t) => {
  const { client, native } = await openFake(t);
  const errors = record(client.message, 'error');
  client.message.on('OnRecvNewMessages', async () => { throw new Error('later'); });
  native.batch([['OnRecvNewMessages', [['a']]]], 1);
  await nextTurn();
  assert.deepEqual(errors.map(([, error]) => error.message), ['later']);
});

test('an emitter without an error listener passes the failure to the client', async (t) => {
  const { client, native } = await openFake(t);
  const errors = record(client, 'error');
  client.user.on('OnSelfInfoUpdated', () => { throw new Error('nested'); });
  native.batch([['OnSelfInfoUpdated', {}]], 1);
  assert.deepEqual(errors.map(([, error]) => error.message), ['nested']);
});

test('a failure that nobody listens to is an uncaught exception, and the pump goes on', async (t) => {
  const { client, native } = await openFake(t);
  client.once('OnConnecting', () => { throw new Error('nobody listens'); });
  const error = await uncaught(t, () => native.batch([['OnConnecting', null]], 1));
  assert.equal(error.message, 'nobody listens');
  const heard = record(client, 'OnConnectSuccess');
  native.batch([['OnConnectSuccess', null]], 2);
  assert.deepEqual(heard, [['OnConnectSuccess']]);
  await nextTurn();
  assert.equal(native.credits, 2);
});

test('an error listener that throws is an uncaught exception', async (t) => {
  const { client, native } = await openFake(t);
  client.on('error', () => { throw new Error('worse'); });
  client.on('OnConnecting', () => { throw new Error('bad'); });
  const error = await uncaught(t, () => native.batch([['OnConnecting', null]], 1));
  assert.equal(error.message, 'worse');
});

test("Node's own waiting works: once, and on as an async iterator", async (t) => {
  const { client, native } = await openFake(t);
  const first = once(client, 'OnSyncServerFinish');
  const stop = new AbortController();
  const messages = on(client.message, 'OnRecvNewMessages', { signal: stop.signal });
  native.batch([['OnSyncServerFinish', true], ['OnRecvNewMessages', [['a']]], ['OnRecvNewMessages', [['b'], ['c']]]], 3);
  assert.deepEqual(await first, [true]);
  const seen = [];
  for await (const [batch] of messages) {
    seen.push(...ids(batch));
    if (seen.length === 3) break;
  }
  assert.deepEqual(seen, ['a', 'b', 'c']);
  stop.abort();
  assert.equal(client.message.listenerCount('OnRecvNewMessages'), 0);
});

test('close resolves after the events that came before it', async (t) => {
  const { client, native } = await openFake(t);
  const heard = record(client, 'OnConnectSuccess');
  native.answer('close', ok(null, 2));
  let closed = false;
  const closing = client.close().then(() => { closed = true; });
  native.batch([['OnConnectSuccess', null]], 1);
  await nextTurn();
  assert.equal(closed, false);
  native.batch([['OnConnectSuccess', null]], 2);
  await closing;
  assert.equal(heard.length, 2);
});

test('after close no listener is called any more', async (t) => {
  const { client, native } = await openFake(t);
  const heard = record(client, 'OnConnectSuccess');
  await client.close();
  native.batch([['OnConnectSuccess', null]], 1);
  await nextTurn();
  assert.deepEqual(heard, []);
  client.message.on('OnRecvNewMessages', () => {});
  assert.equal(native.listens, 1, 'a listener after close is nobody to keep events for');
});
