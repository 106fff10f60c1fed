import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { DevServer, OpenIM, Platform } from 'openim-node';

async function startServer(t, config) {
  const server = await DevServer.start(config);
  t.after(() => server.stop());
  return server;
}

/** A client of a user, logged in and in step. */
async function enter(t, server, userID) {
  const client = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: ':memory:' });
  t.after(() => client.close());
  await client.login({ userID, token: await server.token(userID, Platform.Linux), waitUntil: 'synced' });
  return client;
}

const send = (client, recvID, text) => client.sendMessage({ recvID, message: client.createTextMessage(text) });

/** Resolves with so many texts in the order of their arrival. */
function texts(client, count) {
  return new Promise((resolve) => {
    const seen = [];
    client.on('OnRecvNewMessages', (messages) => {
      seen.push(...messages.map((message) => message.textElem.content));
      if (seen.length >= count) resolve(seen);
    });
  });
}

test('a lever is in force at once, counts, and is gone when it is used up', async (t) => {
  const server = await startServer(t);
  const alice = await enter(t, server, 'alice');
  const bob = await enter(t, server, 'bob');
  const arrived = texts(bob, 3);
  const fault = server.faults.dropPushes({ to: 'bob', contentType: 101, count: 2 });
  assert.deepEqual([fault.name, fault.hits, fault.left], ['dropPushes', 0, 2]);
  assert.deepEqual(server.faults.pending(), [fault]);
  await send(alice, 'bob', 'lost');
  assert.equal(await fault.acted(1), true);
  assert.deepEqual([fault.hits, fault.left], [1, 1]);
  await send(alice, 'bob', 'lost too');
  assert.equal(await fault.acted(), true);
  assert.deepEqual([fault.hits, fault.left, server.faults.pending()], [2, 0, []]);
  await send(alice, 'bob', 'seen');
  assert.deepEqual((await arrived).sort(), ['lost', 'lost too', 'seen'], 'a client fetches what it missed');
});

test('pushes that come twice or backwards do no harm', async (t) => {
  const server = await startServer(t);
  const alice = await enter(t, server, 'alice');
  const bob = await enter(t, server, 'bob');
  const arrived = texts(bob, 4);
  server.faults.duplicatePushes({ to: 'bob', contentType: 101, count: 1 });
  const reordered = server.faults.reorderPushes({ to: 'bob', contentType: 101, count: 3 });
  for (const text of ['1', '2', '3', '4']) await send(alice, 'bob', text);
  await reordered.acted();
  assert.deepEqual((await arrived).sort(), ['1', '2', '3', '4']);
});

test('requests are refused by operation over the gateway and by path over REST', async (t) => {
  const server = await startServer(t);
  const alice = await enter(t, server, 'alice');
  await server.token('bob', Platform.Linux);
  server.faults.refuseRequests({ operation: 1003, userID: 'alice', code: 1302, count: 1 });
  await assert.rejects(send(alice, 'bob', 'x'), { errCode: 1302 });
  await send(alice, 'bob', 'y');
  const headers = { operationID: 'test', token: await server.token('carol', Platform.Linux) };
  const call = async () => (await fetch(`${server.addresses.apiAddr}/msg/get_server_time`, {
    method: 'POST', headers, body: '{}',
  })).json();
  server.faults.refuseRequests({ path: '/msg/get_server_time', code: 500, message: 'out of order', count: 1 });
  assert.deepEqual(await call(), { errCode: 500, errMsg: 'out of order', errDlt: '' });
  assert.equal((await call()).errCode, 0);
});

test('a lost answer does not lose the message', async (t) => {
  const server = await startServer(t);
  const alice = await enter(t, server, 'alice');
  const bob = await enter(t, server, 'bob');
  const arrived = texts(bob, 1);
  const fault = server.faults.dropAnswers({ operation: 1003, userID: 'alice', count: 1 });
  const sent = send(alice, 'bob', 'hello');
  assert.deepEqual(await arrived, ['hello']);
  assert.equal(await fault.acted(), true);
  // the client gives up waiting, compares with the server after the next connect, and finds its message
  server.faults.closeConnections({ userID: 'alice' });
  assert.equal((await sent).status, 2);
});

test('open connections are counted, kicked and closed', async (t) => {
  const server = await startServer(t);
  const alice = await enter(t, server, 'alice');
  const bob = await enter(t, server, 'bob');
  const again = once(bob, 'OnConnectSuccess');
  assert.equal(server.faults.closeConnections({ userID: 'bob', code: 1001, reason: 'going away' }), 1);
  await again;
  assert.equal(server.faults.kick({ userID: 'nobody' }), 0);
  assert.equal(server.faults.kick({ userID: 'alice', platformID: Platform.Web }), 0);
  const kicked = once(alice, 'OnKickedOffline');
  assert.equal(server.faults.kick({ userID: 'alice', platformID: Platform.Linux }), 1);
  await kicked;
});

test('a dead line is silent until it is back', async (t) => {
  const server = await startServer(t);
  const alice = await enter(t, server, 'alice');
  const bob = await enter(t, server, 'bob');
  const arrived = texts(bob, 1);
  let silent = true;
  arrived.then(() => assert.equal(silent, false));
  assert.equal(server.faults.stall({ userID: 'bob' }), 1);
  await send(alice, 'bob', 'hello');
  silent = false;
  assert.equal(server.faults.resume({ userID: 'bob' }), 1);
  assert.deepEqual(await arrived, ['hello']);
  server.faults.stall();
  server.faults.clear();
  await send(bob, 'alice', 'clear lets stalled connections go on');
});

test('frames out of turn go to the connections that are named', async (t) => {
  const server = await startServer(t);
  await enter(t, server, 'alice');
  assert.equal(server.faults.sendFrame({ userID: 'nobody', text: 'x' }), 0);
  assert.equal(server.faults.answerUnknown({ userID: 'alice' }), 1);
  assert.equal(server.faults.answerUnknown({ userID: 'alice', operation: 1003 }), 1);
});

test('levers survive a restart, so that what happens right after it can be disturbed', async (t) => {
  const server = await startServer(t);
  const fault = server.faults.refuseHandshakes({ userID: 'alice', code: 1601, count: 1 });
  await server.restart();
  assert.deepEqual([server.faults.pending(), fault.left], [[fault], 1]);
  const alice = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: ':memory:' });
  t.after(() => alice.close());
  const connected = once(alice, 'OnConnectSuccess');
  await alice.login({ userID: 'alice', token: await server.token('alice', Platform.Linux) });
  await connected;
  assert.deepEqual([fault.hits, fault.left], [1, 0], 'refused once, then let in');
});

test('a hole announces seqs that exist nowhere', async (t) => {
  const server = await startServer(t);
  const alice = await enter(t, server, 'alice');
  const bob = await enter(t, server, 'bob');
  const arrived = texts(bob, 2);
  await send(alice, 'bob', 'one');
  assert.equal(server.faults.makeHole({ conversationID: 'si_alice_bob', count: 5 }), 6);
  await send(alice, 'bob', 'seven');
  assert.deepEqual(await arrived, ['one', 'seven']);
});

test('storing later, slow disks and young connections have levers too', async (t) => {
  const server = await startServer(t);
  const alice = await enter(t, server, 'alice');
  const bob = await enter(t, server, 'bob');
  const arrived = texts(bob, 2);
  const early = server.faults.loseEarlyPushes(600_000, { to: 'bob', contentType: 101, count: 1 });
  const late = server.faults.delayStore(20, { userID: 'alice', count: 1 });
  const slow = server.faults.slowDisk(1, { count: 1 });
  await send(alice, 'bob', 'early');
  await Promise.all([early.acted(), late.acted(), slow.acted()]);
  await send(alice, 'bob', 'later');
  assert.deepEqual((await arrived).sort(), ['early', 'later']);
});

test('a shifted clock ends tokens', async (t) => {
  const server = await startServer(t);
  const token = await server.token('alice', Platform.Linux);
  const code = async () => (await (await fetch(`${server.addresses.apiAddr}/auth/parse_token`, {
    method: 'POST', headers: { operationID: 'test' }, body: JSON.stringify({ token }),
  })).json()).errCode;
  server.faults.shiftClock(91 * 86_400_000);
  assert.equal(await code(), 1501);
  server.faults.clear();
  assert.equal(await code(), 0);
});

test('waiting for a lever ends when it is cleared and when the server stops', async (t) => {
  const server = await startServer(t);
  const cleared = server.faults.dropPushes({ count: 1 });
  const waiting = cleared.acted();
  cleared.clear();
  assert.equal(await waiting, false);
  assert.equal(cleared.left, 0);
  const forever = server.faults.dropPushes();
  assert.equal(forever.left, Infinity);
  const stopped = forever.acted();
  await server.stop();
  assert.equal(await stopped, false);
  assert.deepEqual(server.faults.pending(), [forever], 'it waits for the next start');
  server.faults.clear();
  for (const call of [
    () => server.faults.kick(),
    () => server.faults.stall({ userID: 'alice' }),
    () => server.faults.sendFrame({ text: 'x' }),
    () => server.faults.makeHole({ conversationID: 'si_a_b', count: 1 }),
  ]) assert.throws(call, { name: 'OpenIMError', code: 'OPENIM_CLOSED' });
});

test('wrong parameters are refused by name and set nothing', async (t) => {
  const server = await startServer(t);
  const { faults } = server;
  const wrong = [
    [() => faults.dropPushes({ to: 7 }), 'to'],
    [() => faults.dropPushes({ userID: 'alice' }), 'userID'],
    [() => faults.dropPushes({ count: 0 }), 'count'],
    [() => faults.dropPushes({ count: -1 }), 'count'],
    [() => faults.dropPushes({ count: 1.5 }), 'count'],
    [() => faults.dropPushes(null), 'params'],
    [() => faults.delayPushes({ to: 'alice' }), 'ms'],
    [() => faults.delayPushes({ ms: 600_001 }), 'ms'],
    [() => faults.delayPushes({ ms: 2 ** 40 }), 'ms'],
    [() => faults.reorderPushes({ count: 1 }), 'count'],
    [() => faults.reorderPushes({ to: 'alice' }), 'count'],
    [() => faults.loseEarlyPushes('1000'), 'ms'],
    [() => faults.loseEarlyPushes(1000, { from: 'alice' }), 'from'],
    [() => faults.leaveGap({ to: 'alice' }), 'count'],
    [() => faults.refuseRequests({ operation: 1003 }), 'code'],
    [() => faults.refuseRequests({ code: 0 }), 'code'],
    [() => faults.refuseRequests({ code: 1001, message: 5 }), 'message'],
    [() => faults.dropRequests({ operation: 1003, path: '/msg/send_msg' }), 'operation'],
    [() => faults.dropRequests({ path: 'msg/send_msg' }), 'path'],
    [() => faults.repeatAnswers({ path: '/msg/send_msg' }), 'path'],
    [() => faults.delayAnswers({ operation: '1003', ms: 1 }), 'operation'],
    [() => faults.refuseHandshakes({ code: 1506, operation: 1003 }), 'operation'],
    [() => faults.delayStore(), 'ms'],
    [() => faults.delayStore(5, { to: 'alice' }), 'to'],
    [() => faults.slowDisk(5, { userID: 'alice' }), 'userID'],
    [() => faults.makeHole({ count: 1 }), 'conversationID'],
    [() => faults.makeHole({ conversationID: 'si_a_b', count: 1 }), 'conversationID'],
    [() => faults.makeHole({ conversationID: 'si_a_b', count: 0 }), 'count'],
    [() => faults.shiftClock(1.5), 'ms'],
    [() => faults.kick({ user: 'alice' }), 'user'],
    [() => faults.kick({ platformID: '5' }), 'platformID'],
    [() => faults.closeConnections({ code: 1006 }), 'code'],
    [() => faults.closeConnections({ code: 70_000 }), 'code'],
    [() => faults.closeConnections({ reason: 'no code' }), 'reason'],
    [() => faults.closeConnections({ code: 1000, reason: 'x'.repeat(124) }), 'reason'],
    [() => faults.sendFrame({}), 'params'],
    [() => faults.sendFrame({ text: 'x', malformed: 'garbage' }), 'params'],
    [() => faults.sendFrame({ binary: [1, 2] }), 'binary'],
    [() => faults.sendFrame({ malformed: 'huge' }), 'malformed'],
    [() => faults.sendFrame({ malformed: 'oversized' }), 'bytes'],
    [() => faults.sendFrame({ malformed: 'oversized', bytes: 2 ** 27 }), 'bytes'],
    [() => faults.sendFrame({ text: 'x', bytes: 3 }), 'bytes'],
    [() => faults.answerUnknown({ operation: 1.5 }), 'operation'],
  ];
  for (const [call, field] of wrong) {
    assert.throws(call, { name: 'OpenIMError', code: 'OPENIM_ARGS', field }, `${call}`);
  }
  assert.deepEqual(faults.pending(), []);
  const fault = faults.dropPushes();
  await assert.rejects(fault.acted(0), { code: 'OPENIM_ARGS', field: 'times' });
  await assert.rejects(DevServer.start({ multiLogin: { policy: 2 } }), { code: 'OPENIM_ARGS', field: 'multiLogin.policy' });
  await assert.rejects(DevServer.start({ maxConnections: 0 }), { code: 'OPENIM_ARGS', field: 'maxConnections' });
});
