import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FakeNativeClient, failed, loadFacade, ok, openFake, record } from '../support/fake-binding.mjs';
import { METHOD_NAMES } from '../support/methods.mjs';

test('the class has exactly the methods of the binding', async (t) => {
  const { client } = await openFake(t);
  const asynchronous = METHOD_NAMES.filter((name) => name !== 'open');
  const synchronous = ['createTextMessage', 'getConversationIDBySessionType'];
  const own = ['getLoginStatus', 'getLoginUserID', 'getConnectionStatus', 'getSyncStatus', 'stats', 'capabilities',
    'ref', 'unref', 'constructor'];
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(client));
  assert.deepEqual(methods.sort(), [...asynchronous, ...synchronous, ...own].sort());
});

test('parameters cross as JSON, results come back as data', async (t) => {
  const { client, native } = await openFake(t);
  native.answer('getUsersInfo', ok([{ userID: 'bob' }]));
  assert.deepEqual(await client.getUsersInfo(['bob'], { operationID: 'mine' }), [{ userID: 'bob' }]);
  assert.deepEqual(native.calls.at(-1), { method: 'getUsersInfo', params: ['bob'], operationID: 'mine', cancel: 0 });
  assert.equal(await client.logout(), undefined);
  assert.equal(native.calls.at(-1).params, null);
});

test('every call without an operation id gets one of its own', async (t) => {
  const { client, native } = await openFake(t);
  await Promise.all([client.getSelfUserInfo(), client.getSelfUserInfo()]);
  const [first, second] = native.calls.slice(-2).map(({ operationID }) => operationID);
  assert.match(first, /^[0-9a-z]{16}-\d+$/);
  assert.notEqual(first, second);
});

test('an error record becomes an OpenIMError with the stack of the caller', async (t) => {
  const { client, native } = await openFake(t);
  native.answer('getSelfUserInfo', failed(record({
    code: 'OPENIM_NOT_LOGGED_IN', errCode: 10009, errMsg: 'log in first', operationID: 'op',
  })));
  async function whoAmI() {
    return await client.getSelfUserInfo();
  }
  const error = await whoAmI().catch((reason) => reason);
  assert.equal(error.name, 'OpenIMError');
  assert.deepEqual([error.code, error.errCode, error.operationID], ['OPENIM_NOT_LOGGED_IN', 10009, 'op']);
  assert.equal('event' in error, false, 'the number of the event is no business of the caller');
  assert.match(error.stack, /whoAmI/);
});

test('a promise never resolves before the events of its call', async (t) => {
  const { client, native } = await openFake(t);
  const order = [];
  client.on('OnConversationChanged', () => order.push('event'));
  native.answer('markConversationMessageAsRead', ok(null, 1));
  const call = client.markConversationMessageAsRead('si_alice_bob').then(() => order.push('promise'));
  await nextTurn();
  assert.deepEqual(order, []);
  native.batch([['OnConversationChanged', []]], 1);
  await call;
  assert.deepEqual(order, ['event', 'promise']);
});

test('a promise never rejects before the events that came before its failure', async (t) => {
  const { client, native } = await openFake(t);
  const order = [];
  client.on('OnUserTokenInvalid', () => order.push('event'));
  native.answer('login', failed(record({ code: 'OPENIM_TOKEN_INVALID', event: 1 })));
  const call = client.login({ userID: 'alice', token: 't' }).catch((error) => order.push(error.code));
  await nextTurn();
  assert.deepEqual(order, []);
  native.batch([['OnUserTokenInvalid', 'TokenInvalidError']], 1);
  await call;
  assert.deepEqual(order, ['event', 'OPENIM_TOKEN_INVALID']);
});

test('calls of a client without any listener resolve', async (t) => {
  const { client, native } = await openFake(t);
  native.answer('markConversationMessageAsRead', ok(null, 1));
  const call = client.markConversationMessageAsRead('si_alice_bob');
  native.batch([['OnConversationChanged', []]], 1);
  await call;
});

test('wrong parameters reject without reaching the core', async (t) => {
  const { client, native } = await openFake(t);
  const before = native.calls.length;
  await assert.rejects(client.login({ userID: 1, token: 't' }), { code: 'OPENIM_ARGS', field: 'userID' });
  await assert.rejects(client.getUsersInfo(['bob'], { signal: 1 }), { code: 'OPENIM_ARGS', field: 'options.signal' });
  const circular = { clientMsgID: 'x', contentType: 101 };
  circular.self = circular;
  const send = client.sendMessage({ recvID: 'bob', message: circular });
  await assert.rejects(send, { code: 'OPENIM_ARGS', field: 'params' });
  assert.equal(native.calls.length, before);
});

test('synchronous methods answer and throw at once', async (t) => {
  const { client, native } = await openFake(t);
  native.answer('createTextMessage', ok({ clientMsgID: 'x' }));
  assert.deepEqual(client.createTextMessage('你好 👋'), { clientMsgID: 'x' });
  assert.equal(native.calls.at(-1).params, '你好 👋');
  assert.throws(() => client.createTextMessage(5), { code: 'OPENIM_ARGS', field: 'text' });
  native.answer('createTextMessage', failed(record({ code: 'OPENIM_NOT_LOGGED_IN' })));
  assert.throws(() => client.createTextMessage('x'), { name: 'OpenIMError', code: 'OPENIM_NOT_LOGGED_IN' });
});

test('a call that is aborted before it begins never begins', async (t) => {
  const { client, native } = await openFake(t);
  const before = native.calls.length;
  const reason = new Error('too late');
  const error = await client.getSelfUserInfo({ signal: AbortSignal.abort(reason) }).catch((e) => e);
  assert.deepEqual([error.code, error.cause], ['OPENIM_ABORTED', reason]);
  assert.equal(native.calls.length, before);
});

test('an abort in the same tick cancels the call, and its reason is the cause', async (t) => {
  const { client, native } = await openFake(t);
  const settle = {};
  native.answer('getSelfUserInfo', () => new Promise((resolve) => { settle.call = resolve; }));
  const stop = new AbortController();
  const call = client.getSelfUserInfo({ signal: stop.signal, operationID: 'op' });
  stop.abort('enough');
  const { cancel } = native.calls.at(-1);
  assert.ok(cancel > 0);
  assert.deepEqual(native.cancelled, [cancel]);
  settle.call(failed(record({ code: 'OPENIM_ABORTED', errCode: 10003, operationID: 'op' })));
  const error = await call.catch((e) => e);
  assert.deepEqual([error.code, error.cause, error.operationID], ['OPENIM_ABORTED', 'enough', 'op']);
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
});

test('a settled call leaves nothing on the signal and is not cancelled any more', async (t) => {
  const { client, native } = await openFake(t);
  const stop = new AbortController();
  native.answer('getSelfUserInfo', ok({ userID: 'alice' }));
  await client.getSelfUserInfo({ signal: stop.signal });
  assert.equal(getEventListeners(stop.signal, 'abort').length, 0);
  stop.abort();
  assert.deepEqual(native.cancelled, []);
});

test('another failure under an aborted signal keeps its own code', async (t) => {
  const { client, native } = await openFake(t);
  const stop = new AbortController();
  native.answer('getSelfUserInfo', failed(record({ code: 'OPENIM_NETWORK', errCode: 10000, retryable: true })));
  const call = client.getSelfUserInfo({ signal: stop.signal });
  stop.abort();
  const error = await call.catch((e) => e);
  assert.deepEqual([error.code, error.retryable, error.cause], ['OPENIM_NETWORK', true, undefined]);
});

test('close is idempotent, releases who waits for events, and later calls are refused', async (t) => {
  const { client, native } = await openFake(t);
  native.answer('markConversationMessageAsRead', ok(null, 9));
  const waiting = client.markConversationMessageAsRead('si_alice_bob');
  native.answer('close', ok(null, 12));
  const closing = client.close();
  assert.equal(client.close(), closing);
  await assert.rejects(client.getSelfUserInfo({ operationID: 'op' }), {
    code: 'OPENIM_CLOSED', errCode: 10008, operationID: 'op',
  });
  assert.throws(() => client.createTextMessage('x'), { code: 'OPENIM_CLOSED' });
  await closing;
  await waiting;
  assert.equal(native.calls.filter(({ method }) => method === 'close').length, 1);
});

test('a client that cannot be opened is closed', async () => {
  const { OpenIM } = loadFacade({
    NativeClient: class extends FakeNativeClient {
      constructor(onEvents) {
        super(onEvents);
        this.answer('open', failed(record({ code: 'OPENIM_DATA_DIR', errCode: 10002 })));
      }
    },
  });
  const config = { apiAddr: 'http://x', wsAddr: 'ws://x', platformID: 7, dataDir: '/proc/nowhere' };
  await assert.rejects(OpenIM.open(config), { code: 'OPENIM_DATA_DIR' });
  assert.deepEqual(FakeNativeClient.last.calls.map(({ method }) => method), ['open', 'close']);
});

test('a client is only made by open', () => {
  const { OpenIM } = loadFacade();
  assert.throws(() => new OpenIM(), { name: 'TypeError', message: /OpenIM\.open/ });
});

test('state is read without waiting', async (t) => {
  const { client } = await openFake(t);
  assert.equal(client.getLoginStatus(), 3);
  assert.equal(client.getLoginUserID(), 'alice');
  assert.equal(client.getConnectionStatus(), 'connected');
  assert.equal(client.getSyncStatus(), 'synced');
  assert.deepEqual(client.stats(), { rttMs: 1, reconnects: 0 });
  assert.equal(client.capabilities().signaling, false);
});
