// A server that is slow, silent, lying or broken: typed errors, bounded memory, nothing that spoils what is stored, and a
// client that goes on as soon as the server is sane again.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { LoginStatus } from 'openim-node';
import { LYING_WIRE, frameHead, startLyingGateway } from '../support/lying-gateway.mjs';
import { map, message, pulled, textMessage } from '../support/protobuf.mjs';
import { Recording, until } from '../support/recording.mjs';
import { needsFaultLever, needsOwnServer } from '../support/servers.mjs';
import { forward, startStub } from '../support/stub-api.mjs';
import { World, say, settled, textOf } from '../support/world.mjs';

const GET_NEWEST_SEQ = 1001;
const PULL_BY_RANGE = 1002;
const SEND = 1003;
const PULL_BY_SEQS = 1005;
const GET_CONV_MAX_READ_SEQ = 1006;
const SESSION_END = ['OnUserTokenInvalid', 'OnUserTokenExpired', 'OnKickedOffline', 'OnEventsDropped', 'OnDatabaseReset'];
const WIRES = ['gob', 'json'].flatMap((wireFormat) => [true, false].map((compression) => ({ wireFormat, compression })));
const MIB = 2 ** 20;
const HUGEST = 2n ** 63n - 1n;
const MAX_SEQ = 2n ** 53n - 1n;

const wireName = ({ wireFormat, compression }) => `${wireFormat}${compression ? ' in gzip' : ''}`;
const endings = ({ recording }) => recording.names.filter((name) => SESSION_END.includes(name));
const received = ({ recording }) => recording.of('OnRecvNewMessages').flat().map(textOf);

async function history({ client }, conversationID, options = {}) {
  return client.getAdvancedHistoryMessageList({ conversationID, count: 50, ...options });
}

/** A message still arrives, once, and nothing ended. */
async function assertGoesOn(from, to, text = 'still there') {
  await say(from, to, text);
  await to.recording.heard('OnRecvNewMessage', (one) => textOf(one) === text);
  await settled(from, to);
  assert.equal(received(to).filter((one) => one === text).length, 1);
  assert.equal(to.client.getLoginStatus(), LoginStatus.Logged);
  assert.deepEqual(endings(to), []);
}

/** Bob on a new device, after alice wrote more than a first sync fetches. */
async function bobWithGap(world, alice, config) {
  await world.register('bob');
  for (let i = 0; i < 30; i++) await say(alice, { id: world.id('bob') }, `${i}`);
  return world.enter('bob', config);
}

describe('slow and silent', { skip: needsFaultLever, concurrency: true }, () => {
  test('an answer that comes after its caller went away is passed over', async (t) => {
    const world = await World.start(t);
    const alice = await world.enter('alice');
    const bob = await bobWithGap(world, alice);
    const late = world.server.faults.delayAnswers({ userID: bob.id, operation: PULL_BY_SEQS, ms: 200, count: 1 });
    const stop = new AbortController();
    const params = { conversationID: world.chat('alice', 'bob'), count: 50 };
    const page = bob.client.getAdvancedHistoryMessageList(params, { signal: stop.signal });
    const aborted = assert.rejects(page, { code: 'OPENIM_ABORTED' });
    await late.acted();
    stop.abort();
    await aborted;
    const { messageList, isEnd, errCode } = await bob.client.getAdvancedHistoryMessageList(params);
    assert.deepEqual([messageList.length, isEnd, errCode], [30, true, 0]);
    await assertGoesOn(alice, bob);
    await assertGoesOn(bob, alice);
  });

  test('no answer to the comparison: told, asked again, in step', async (t) => {
    const world = await World.start(t);
    const alice = await world.enter('alice');
    const client = await world.open();
    const bob = { client, recording: new Recording(client), id: world.id('bob') };
    const lost = world.server.faults.dropAnswers({ userID: bob.id, operation: GET_NEWEST_SEQ, count: 1 });
    await client.login({ userID: bob.id, token: await world.token('bob'), waitUntil: 'synced' });
    assert.equal(lost.left, 0);
    assert.deepEqual(bob.recording.of('OnSyncServerFailed'), [true]);
    world.shows('callback', 'OnSyncServerFailed');
    assert.deepEqual(bob.recording.of('OnSyncServerFinish'), [true]);
    await assertGoesOn(alice, bob);
  });

  test('no answer to a page of history: the page says so, and comes when asked again', async (t) => {
    const world = await World.start(t);
    const alice = await world.enter('alice');
    const bob = await bobWithGap(world, alice);
    const chat = world.chat('alice', 'bob');
    world.server.faults.dropAnswers({ userID: bob.id, operation: PULL_BY_SEQS, count: 1 });
    const cut = await history(bob, chat);
    assert.equal(cut.errCode, 100);
    assert.match(cut.errMsg, /no answer to request 1005/);
    assert.equal(cut.isEnd, false);
    assert.deepEqual(cut.messageList.map(textOf), Array.from({ length: 20 }, (_, i) => `${10 + i}`));
    assert.equal((await history(bob, chat)).messageList.length, 30);
    await assertGoesOn(alice, bob);
  });

  test('every answer twice, and answers to nothing', async (t) => {
    const world = await World.start(t);
    const twice = world.server.faults.repeatAnswers();
    const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
    for (const operation of [GET_NEWEST_SEQ, PULL_BY_RANGE, SEND, 2003, 2004, 2005, 3001, -1, 2 ** 31 - 1]) {
      world.server.faults.answerUnknown({ userID: bob.id, operation });
    }
    await assertGoesOn(alice, bob, 'one');
    await assertGoesOn(bob, alice, 'two');
    twice.clear();
    assert.ok(twice.hits > 4);
    const { messageList } = await history(bob, world.chat('alice', 'bob'));
    assert.deepEqual(messageList.map(textOf), ['one', 'two']);
    assert.equal(bob.client.stats().reconnects, 0);
  });
});

describe('frames that are none', { skip: needsFaultLever, concurrency: true }, () => {
  for (const wire of WIRES) {
    test(`are passed over or end the connection, over ${wireName(wire)}`, async (t) => {
      const world = await World.start(t);
      const [alice, bob] = [await world.enter('alice'), await world.enter('bob', wire)];
      const pack = (bytes) => (wire.compression ? gzipSync(bytes) : bytes);
      const hostile = {
        truncated: { malformed: 'truncated' },
        garbage: { malformed: 'garbage' },
        'a gzip bomb': { malformed: 'gzipBomb' },
        'a text that is not UTF-8': { malformed: 'invalidUtf8' },
        'far too large': { malformed: 'oversized', bytes: 20 * MIB },
        empty: { binary: Buffer.alloc(0) },
        'one byte': { binary: Buffer.from([0x1f]) },
        'a kick in a text frame': { text: '{"reqIdentifier":2002}' },
        'JSON that is not UTF-8': { binary: pack(Buffer.from('{"reqIdentifier":2001,"operationID":"\xff\xfe"}', 'latin1')) },
        'JSON of other types': { binary: pack(Buffer.from('{"reqIdentifier":"2001","data":{}}')) },
        'deep JSON': { binary: pack(Buffer.from(`{"reqIdentifier":2001,"x":${'['.repeat(100_000)}`)) },
        'data that is not base64': { binary: pack(Buffer.from('{"reqIdentifier":2001,"data":"?"}')) },
        'a gob length without end': { binary: pack(Buffer.from('f8ffffffffffffffff', 'hex')) },
        'a gob of itself': { binary: pack(Buffer.from(`7f${'7f030101'.repeat(30)}`, 'hex')) },
        'two gzip members cut in half': { binary: gzipSync(Buffer.alloc(1000)).subarray(0, 12) },
      };
      for (const [kind, frame] of Object.entries(hostile)) {
        // one that the client has just left may still stand at the server
        assert.ok(world.server.faults.sendFrame({ userID: bob.id, ...frame }) >= 1, kind);
        await assertGoesOn(alice, bob, kind);
        assert.equal(await bob.client.getTotalUnreadMsgCount(), received(bob).length);
        await until('connected', () => bob.client.getConnectionStatus() === 'connected');
      }
      const { messageList } = await history(bob, world.chat('alice', 'bob'));
      assert.deepEqual(messageList.map(textOf), Object.keys(hostile));
      assert.deepEqual(bob.recording.of('OnConnectFailed'), []);
    });
  }

  test('a handshake reply that is none: told as such, tried again', async (t) => {
    const replies = [
      Buffer.concat([frameHead(1, 4), Buffer.from('nope')]),
      Buffer.concat([frameHead(1, 15), Buffer.from('{"errCode":"0"}')]),
      Buffer.concat([frameHead(2, 2), Buffer.from('{}')]),
      Buffer.from([0x81, 2, 0xc3, 0x28]),
      frameHead(1, 100 * MIB),
    ];
    const world = await World.start(t);
    await Promise.all(replies.map((reply, i) => t.test(`reply ${i}`, async (t) => {
      const gateway = await startLyingGateway(t, world.server.addresses);
      gateway.greet = () => reply;
      const client = await world.open({ ...LYING_WIRE, wsAddr: gateway.wsAddr });
      const recording = new Recording(client);
      const login = { userID: world.id(`user${i}`), token: await world.token(`user${i}`) };
      const code = i < 3 ? 'OPENIM_PROTOCOL' : 'OPENIM_NETWORK';
      await assert.rejects(client.login({ ...login, waitUntil: 'connected' }), { code, retryable: true });
      gateway.greet = undefined;
      await recording.heard('OnSyncServerFinish');
      assert.equal(recording.of('OnConnectFailed').length, 1);
    })));
  });
});

describe('payloads that lie', { skip: needsOwnServer, concurrency: true }, () => {
  /** Alice tells the truth; bob hears it from a gateway that can lie. */
  async function aliceAndBob(t) {
    const world = await World.start(t);
    const gateway = await startLyingGateway(t, world.server.addresses);
    const alice = await world.enter('alice');
    const config = { ...LYING_WIRE, wsAddr: gateway.wsAddr };
    return { world, gateway, alice, config, chat: world.chat('alice', 'bob') };
  }

  /** Makes bob compare with the truth, and awaits the end of it. */
  async function comparesAgain(bob) {
    bob.recording.clear();
    await bob.client.networkStatusChanged();
    await bob.recording.heard('OnSyncServerFinish');
  }

  test('pushes with seqs that cannot be: not stored, not told', async (t) => {
    const { world, gateway, alice, config, chat } = await aliceAndBob(t);
    const bob = await world.enter('bob', config);
    await say(alice, bob, 'true');
    await bob.recording.messages(1);
    for (const seq of [-1n, -HUGEST, -HUGEST - 1n, MAX_SEQ + 1n, HUGEST]) {
      gateway.send(pulled(chat, [textMessage({ from: alice.id, to: bob.id, seq, text: `${seq}` })]));
    }
    await assertGoesOn(alice, bob, 'after them');
    assert.deepEqual(received(bob), ['true', 'after them']);
    const { messageList, isEnd } = await history(bob, chat);
    assert.deepEqual([messageList.map(textOf), isEnd], [['true', 'after them'], true]);
    assert.equal(await bob.client.getTotalUnreadMsgCount(), 2);
  });

  test('a push that leaps: what is true is fetched, what is not is not searched for', async (t) => {
    const { world, gateway, alice, config, chat } = await aliceAndBob(t);
    const bob = await world.enter('bob', config);
    await say(alice, bob, 'true');
    await bob.recording.messages(1);
    let asked = 0;
    gateway.answer = ({ reqIdentifier }) => { asked += reqIdentifier === PULL_BY_SEQS ? 1 : 0; };
    gateway.send(pulled(chat, [textMessage({ from: alice.id, to: bob.id, seq: MAX_SEQ, text: 'leap' })]));
    await bob.recording.messages(2);
    // the client asks by itself what is true
    await until('the leap is forgotten', async () => await bob.client.getTotalUnreadMsgCount() <= 2);
    await assertGoesOn(alice, bob, 'after it');
    const { messageList } = await history(bob, chat);
    assert.deepEqual(messageList.map(textOf).filter((text) => text !== 'leap'), ['true', 'after it']);
    assert.ok(asked < 10, `${asked} requests`);
    const [conversation] = await bob.client.getAllConversationList();
    assert.equal(textOf(conversation.latestMsg), 'after it');
    assert.ok(conversation.unreadCount <= 3, `${conversation.unreadCount} unread`);
  });

  test('times, statuses and types at the ends of their ranges', async (t) => {
    const { world, gateway, alice, config, chat } = await aliceAndBob(t);
    const bob = await world.enter('bob', config);
    const wild = (number, seq, fields) => {
      const base = textMessage({ from: alice.id, to: bob.id, seq, text: `wild ${number}`, sendTime: 1 });
      return Buffer.concat([base, message(...fields)]);
    };
    gateway.send(pulled(chat, [
      wild(1, 1, [[15, HUGEST], [16, HUGEST]]),
      wild(2, 2, [[15, -HUGEST - 1n], [16, -1]]),
      wild(3, 3, [[9, 2 ** 31 - 1], [10, -1], [11, -(2 ** 31)], [6, -1]]),
      wild(4, 4, [[17, -5]]),
      wild(5, 5, [[12, Buffer.from([0xff, 0xfe, 0x00])], [11, 101]]),
      wild(6, 6, [[12, '{"content":7}']]),
      wild(7, 7, [[12, '['.repeat(10_000)]]),
      wild(8, 8, [[999, 'unknown'], [4, 'x'.repeat(100_000)]]),
    ]));
    const messages = await bob.recording.messages(8);
    assert.deepEqual(messages.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6, 7, 8]);
    const { messageList } = await history(bob, chat);
    assert.equal(messageList.length, 8);
    assert.equal((await bob.client.getAllConversationList()).length, 1);
    // the true server knows of none of them
    await comparesAgain(bob);
    await assertGoesOn(alice, bob);
  });

  const seqs = (maxSeq, hasReadSeq = 0) => message([1, maxSeq], [2, hasReadSeq], [3, HUGEST]);
  const lies = {
    'negative ends in 1001': [GET_NEWEST_SEQ, (chat) => message(...map(1, { [chat]: -HUGEST - 1n, n_x_y: -1 }))],
    'ends beyond all seqs in 1001': [GET_NEWEST_SEQ, (chat) => message(...map(1, { [chat]: HUGEST, n_x_y: HUGEST }))],
    'huge ends in 1001': [GET_NEWEST_SEQ, (chat) => message(...map(1, { [chat]: MAX_SEQ, n_x_y: 10n ** 12n }))],
    'negative ends in 1006': [GET_CONV_MAX_READ_SEQ, (chat) => message(...map(1, { [chat]: seqs(-5, -HUGEST) }))],
    'ends beyond all seqs in 1006': [GET_CONV_MAX_READ_SEQ, (chat) => message(...map(1, { [chat]: seqs(HUGEST, HUGEST) }))],
    'huge ends in 1006': [GET_CONV_MAX_READ_SEQ, (chat) => message(...map(1, { [chat]: seqs(MAX_SEQ, 0) }))],
    'a huge read cursor in 1006': [GET_CONV_MAX_READ_SEQ, (chat) => message(...map(1, { [chat]: seqs(3, MAX_SEQ) }))],
    'unknown conversations in 1006': [GET_CONV_MAX_READ_SEQ, () => (
      message(...map(1, { '': seqs(9), sg_: seqs(9), '\0': seqs(MAX_SEQ) }))
    )],
  };
  for (const [kind, [operation, payload]] of Object.entries(lies)) {
    for (const when of ['at the first sync', 'at a later one']) {
      test(`${kind}, ${when}: the truth repairs it`, async (t) => {
        const { world, gateway, alice, config, chat } = await aliceAndBob(t);
        await world.register('bob');
        const id = world.id('bob');
        for (const text of ['one', 'two']) await say(alice, { id }, text);
        const lie = ({ reqIdentifier }) => (reqIdentifier === operation ? payload(chat) : undefined);
        let bob;
        if (when === 'at the first sync') {
          gateway.answer = lie;
          bob = await world.enter('bob', config);
        } else {
          bob = await world.enter('bob', config);
          gateway.answer = lie;
          await comparesAgain(bob);
        }
        await say(alice, bob, 'three');
        await bob.recording.heard('OnRecvNewMessage', (one) => textOf(one) === 'three');
        gateway.answer = () => undefined;
        await comparesAgain(bob);
        await assertGoesOn(alice, bob, 'four');
        const { messageList, isEnd } = await history(bob, chat);
        assert.deepEqual([messageList.map(textOf), isEnd], [['one', 'two', 'three', 'four'], true]);
        const [conversation] = await bob.client.getAllConversationList();
        assert.equal(textOf(conversation.latestMsg), 'four');
        await bob.client.markConversationMessageAsRead(chat);
        assert.equal(await bob.client.getTotalUnreadMsgCount(), 0);
        await assertGoesOn(alice, bob, 'five');
        assert.equal(await bob.client.getTotalUnreadMsgCount(), 1);
      });
    }
  }

  test('pulls that give other messages than were asked for, and seqs that cannot be', async (t) => {
    const { world, gateway, alice, config, chat } = await aliceAndBob(t);
    await world.register('bob');
    for (let i = 0; i < 30; i++) await say(alice, { id: world.id('bob') }, `${i}`);
    const from = { from: alice.id, to: world.id('bob') };
    const lie = pulled(chat, [-7n, 0, HUGEST, -HUGEST - 1n].map((seq) => textMessage({ ...from, seq, text: `lie ${seq}` })));
    gateway.answer = ({ reqIdentifier }) => ([PULL_BY_RANGE, PULL_BY_SEQS].includes(reqIdentifier) ? lie : undefined);
    const bob = await world.enter('bob', config);
    const assertTrue = (messages) => {
      for (const one of messages) assert.deepEqual([one.seq, textOf(one)], [one.seq, `${one.seq - 1}`]);
    };
    assertTrue((await history(bob, chat)).messageList);
    gateway.answer = () => undefined;
    await assertGoesOn(alice, bob, '30');
    assert.deepEqual(received(bob), ['30']);
    assertTrue((await history(bob, chat)).messageList);
    assert.equal(bob.client.stats().reconnects, 0);
  });

  for (const [kind, payload] of [
    ['no protobuf', Buffer.from('ffffffffffffffffffff', 'hex')],
    ['cut off', message([1, 'x'.repeat(50)]).subarray(0, 20)],
    ['a length of eight exabytes', Buffer.from('0affffffffffffffffff01', 'hex')],
    ['texts that are not UTF-8', message([1, Buffer.from([0xff, 0xfe])], [1, message([1, Buffer.from([0xff])], [2, 1])])],
  ]) {
    test(`answers that are ${kind}: told, asked again, and the send goes through`, async (t) => {
      const { world, gateway, alice, config } = await aliceAndBob(t);
      let untrue = 0;
      const lieOnce = (...operations) => {
        const left = new Set(operations);
        gateway.answer = ({ reqIdentifier }) => {
          if (!left.delete(reqIdentifier)) return undefined;
          untrue += 1;
          return payload;
        };
      };
      lieOnce(GET_NEWEST_SEQ, GET_CONV_MAX_READ_SEQ);
      const client = await world.open(config);
      const bob = { client, recording: new Recording(client), id: world.id('bob') };
      await client.login({ userID: bob.id, token: await world.token('bob'), waitUntil: 'synced' });
      assert.deepEqual(bob.recording.of('OnSyncServerFailed'), [true]);
      lieOnce(SEND);
      gateway.send(payload);
      const sent = await say(bob, alice, 'in spite of it');
      assert.equal(sent.status, 2);
      assert.equal(untrue, 3);
      await alice.recording.messages(1);
      await assertGoesOn(alice, bob);
      assert.deepEqual(received(alice), ['in spite of it']);
    });
  }
});

describe('REST that lies', { skip: needsOwnServer, concurrency: true }, () => {
  const json = (text) => (response) => {
    response.setHeader('content-type', 'application/json');
    response.end(text);
  };
  const html = (status) => (response) => {
    response.writeHead(status, { 'content-type': 'text/html' });
    response.end('<html>Bad Gateway</html>');
  };
  const protocol = { code: 'OPENIM_PROTOCOL', errCode: 10202, retryable: true };
  const answers = {
    'no JSON': [json('nope'), protocol],
    'an empty body': [json(''), protocol],
    'HTML': [html(200), protocol],
    'HTML of a proxy': [html(502), protocol],
    'JSON cut off': [json('{"errCode":0,"data":{"usersInfo":['), protocol],
    'another type of code': [json('{"errCode":"0"}'), protocol],
    'no code at all': [json('{"data":{}}'), protocol],
    'another type of data': [json('{"errCode":0,"data":{"usersInfo":7}}'), protocol],
    'a number that no field can hold': [
      json(`{"errCode":0,"data":{"usersInfo":[{"createTime":1${'0'.repeat(40)}}]}}`), protocol,
    ],
    'a code that no number can hold': [json(`{"errCode":${2 ** 40}}`), protocol],
    'deep JSON': [json(`{"errCode":0,"data":${'['.repeat(200_000)}`), protocol],
    'not UTF-8': [json(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d])), protocol],
  };
  /** What reads as a lost connection: the call answers from what is known here. */
  const losses = {
    'the line cut in the body': (response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('{"errCode":0');
      response.socket.end();
    },
    'a gzip that is none': (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      response.end('not gzip');
    },
    'the line cut before the head': (response) => response.socket.destroy(),
    'no HTTP': (response) => response.socket.end('SSH-2.0-OpenSSH_9.6\r\n'),
  };

  test('the call says what is wrong, and the next one works', async (t) => {
    const world = await World.start(t);
    let lie;
    const stub = await startStub(t, (path, ...request) => (
      lie !== undefined && path === '/user/get_users_info' ? lie : forward(world.server.addresses, path, ...request)
    ));
    const alice = await world.enter('alice', { apiAddr: stub.apiAddr });
    for (const [kind, [answer, expected]] of Object.entries(answers)) {
      await t.test(kind, async () => {
        lie = answer;
        await assert.rejects(alice.client.getUsersInfo([alice.id]), (error) => {
          assert.equal(error.name, 'OpenIMError');
          for (const [key, value] of Object.entries(expected)) assert.equal(error[key], value, `${key}: ${error}`);
          return true;
        });
        lie = undefined;
        assert.equal((await alice.client.getUsersInfo([alice.id]))[0].userID, alice.id);
      });
    }
    for (const [kind, answer] of Object.entries(losses)) {
      await t.test(kind, async () => {
        lie = answer;
        assert.equal((await alice.client.getUsersInfo([alice.id]))[0].userID, alice.id, 'as stored');
        lie = undefined;
      });
    }
    await t.test('at the first sync: the other lists and the messages come all the same', async () => {
      lie = json('nope');
      const bob = await world.enter('bob', { apiAddr: stub.apiAddr });
      lie = undefined;
      await assertGoesOn(alice, bob);
    });
  });
});
