// Every code with which a server refuses a connection or a token (gateway.md 9.5): the right event or error, once, and
// what becomes of the client.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import { LoginStatus, Platform } from 'openim-node';
import { Recording } from '../support/recording.mjs';
import { needsFaultLever } from '../support/servers.mjs';
import { World, say } from '../support/world.mjs';

const WAITS = ['local', 'connected', 'synced'];
const SESSION_END = ['OnUserTokenExpired', 'OnUserTokenInvalid', 'OnKickedOffline'];
const SYNC_PATH = '/user/get_users_info';
const GET_NEWEST_SEQ = 1001;
const SEND = 1003;

const invalid = { error: 'OPENIM_TOKEN_INVALID', event: 'OnUserTokenInvalid' };
/** Codes after which the client stays away (gateway.md 1.4). */
const TERMINAL = [
  { code: 1501, error: 'OPENIM_TOKEN_EXPIRED', event: 'OnUserTokenExpired' },
  { code: 1502, ...invalid },
  { code: 1503, ...invalid },
  { code: 1504, ...invalid },
  { code: 1505, ...invalid },
  { code: 1506, error: 'OPENIM_KICKED_OFFLINE', event: 'OnKickedOffline' },
  { code: 1507, ...invalid },
];
/** Codes after which it tries again. */
const PASSING = [
  { code: 14, error: 'OPENIM_SERVER', retryable: false },
  { code: 500, error: 'OPENIM_SERVER_INTERNAL', retryable: true },
  { code: 1004, error: 'OPENIM_RECORD_NOT_FOUND', retryable: false },
  { code: 1601, error: 'OPENIM_TOO_MANY_CONNECTIONS', retryable: true },
  { code: 1602, error: 'OPENIM_SERVER', retryable: false },
  { code: 80000, error: 'OPENIM_SERVER', retryable: false },
];

/** Every code with every `waitUntil`, and a name for the person that it happens to. */
const cases = (codes) => codes.flatMap((row) => WAITS.map((waitUntil) => (
  { ...row, waitUntil, name: `u${row.code}${waitUntil}` }
)));

const refusalOf = ({ code, error }) => ({ code: error, errCode: code, retryable: false });

/** Why a promise rejected; undefined if it did not. */
const failureOf = (promise) => promise.then(() => undefined, (error) => error);

/** A client that nobody has logged in on, what it tells, and the login to make on it. */
async function visitor(world, { name, waitUntil }, config) {
  const client = await world.open(config);
  const login = { userID: world.id(name), token: await world.token(name), waitUntil };
  return { client, recording: new Recording(client), id: login.userID, login };
}

const endings = ({ recording }) => recording.names.filter((event) => SESSION_END.includes(event));

/** The session ended with this event, once; nothing followed, and the client says so. */
async function assertOver({ client, recording }, { event }) {
  assert.deepEqual(endings({ recording }), [event]);
  assert.equal(recording.names.at(-1), event, 'nothing follows the end');
  assert.deepEqual(recording.of('OnConnectFailed'), []);
  if (event === 'OnUserTokenInvalid') assert.notEqual(recording.of(event)[0], '');
  assert.equal(client.getLoginStatus(), LoginStatus.Logout);
  assert.equal(client.getConnectionStatus(), 'disconnected');
  await assert.rejects(client.getSelfUserInfo(), { code: 'OPENIM_NOT_LOGGED_IN' });
}

/** A new login with a good token works on the same client. */
async function assertUsable({ client, recording, login }) {
  await client.logout();
  recording.clear();
  await client.login({ ...login, waitUntil: 'synced' });
  assert.equal((await client.getSelfUserInfo()).userID, login.userID);
  assert.deepEqual(endings({ recording }), []);
}

/**
 * Resolves when somebody who tries again after a refusal would have done so: a client that begins now is refused for a
 * passing reason, comes back, is refused again, comes back later still, and is let in.
 */
async function patience(world) {
  const witness = await visitor(world, { name: 'witness', waitUntil: 'local' });
  const refused = world.server.faults.refuseHandshakes({ userID: witness.id, code: 1601, count: 2 });
  await witness.client.login(witness.login);
  await refused.acted();
  await witness.recording.heard('OnConnectSuccess');
}

describe('a refused token', { skip: needsFaultLever, concurrency: true }, () => {
  test('at login: rejected or told, once, and no further attempt', async (t) => {
    const world = await World.start(t);
    const outcomes = await Promise.all(cases(TERMINAL).map(async (row) => {
      const alice = await visitor(world, row);
      const refused = world.server.faults.refuseHandshakes({ userID: alice.id, code: row.code });
      if (row.waitUntil === 'local') {
        await alice.client.login(alice.login);
        await alice.recording.heard(row.event);
      } else {
        await assert.rejects(alice.client.login(alice.login), refusalOf(row));
      }
      return { row, alice, refused };
    }));
    await patience(world);
    for (const { row, alice, refused } of outcomes) {
      await t.test(`${row.code}, waiting until ${row.waitUntil}`, async () => {
        await assertOver(alice, row);
        assert.deepEqual(alice.recording.names, ['OnConnecting', row.event]);
        assert.equal(refused.hits, 1, 'attempts to connect');
        refused.clear();
        await assertUsable(alice);
      });
    }
  });

  test('on a reconnect: told once, and no further attempt', async (t) => {
    const world = await World.start(t);
    const outcomes = await Promise.all(cases(TERMINAL).map(async (row) => {
      const alice = await visitor(world, row);
      await alice.client.login(alice.login);
      await alice.recording.heard('OnSyncServerFinish');
      alice.recording.clear();
      const refused = world.server.faults.refuseHandshakes({ userID: alice.id, code: row.code });
      world.server.faults.closeConnections({ userID: alice.id });
      await alice.recording.heard(row.event);
      return { row, alice, refused };
    }));
    await patience(world);
    for (const { row, alice, refused } of outcomes) {
      await t.test(`${row.code}, logged in until ${row.waitUntil}`, async () => {
        await assertOver(alice, row);
        assert.deepEqual(alice.recording.names, ['OnConnecting', row.event]);
        assert.equal(refused.hits, 1, 'attempts to connect');
        refused.clear();
        await assertUsable(alice);
      });
    }
  });

  for (const [what, scope] of [['REST', { path: SYNC_PATH }], ['the gateway', { operation: GET_NEWEST_SEQ }]]) {
    test(`by an answer of ${what} while it syncs: told once, and no connection is made any more`, async (t) => {
      const world = await World.start(t);
      const outcomes = await Promise.all(cases(TERMINAL).map(async (row) => {
        const alice = await visitor(world, row);
        const refused = world.server.faults.refuseRequests({ ...scope, userID: alice.id, code: row.code });
        const failure = await failureOf(alice.client.login(alice.login));
        await alice.recording.heard(row.event);
        const handshakes = world.server.faults.refuseHandshakes({ userID: alice.id, code: 1506 });
        return { row, alice, refused, handshakes, failure };
      }));
      await patience(world);
      for (const { row, alice, refused, handshakes, failure } of outcomes) {
        await t.test(`${row.code}, waiting until ${row.waitUntil}`, async () => {
          if (row.waitUntil === 'local') assert.equal(failure, undefined);
          // the connection stood for a moment: whoever waited for that may have seen it or its end
          else if (row.waitUntil === 'synced' || failure) {
            assert.deepEqual([failure.code, failure.errCode], [row.error, row.code]);
          }
          await assertOver(alice, row);
          assert.equal(alice.recording.of('OnConnectSuccess').length, 1);
          assert.equal(handshakes.hits, 0, 'attempts to connect');
          refused.clear();
          handshakes.clear();
          await assertUsable(alice);
        });
      }
    });
  }

  test('by the answer to a call: the call rejects, the event tells once', async (t) => {
    const world = await World.start(t);
    await Promise.all(TERMINAL.map((row) => t.test(`${row.code}`, async () => {
      const alice = await world.enter(`rest${row.code}`);
      world.server.faults.refuseRequests({ path: SYNC_PATH, userID: alice.id, code: row.code });
      world.server.faults.refuseHandshakes({ userID: alice.id, code: row.code });
      alice.recording.clear();
      // the socket may learn of it at the same time, or before the call has begun
      const call = assert.rejects(alice.client.getUsersInfo([alice.id]), ({ code }) => (
        [row.error, 'OPENIM_LOGGED_OUT', 'OPENIM_NOT_LOGGED_IN'].includes(code)
      ));
      world.server.faults.closeConnections({ userID: alice.id });
      await call;
      await alice.recording.heard(row.event);
      await assertOver(alice, row);
    })));
  });

  test('by the answer to a send: the call ends, the message stays queued and is sent by the next session', async (t) => {
    const world = await World.start(t);
    const bob = await world.enter('bob');
    await Promise.all(TERMINAL.map((row) => t.test(`${row.code}`, async () => {
      const alice = await world.enter(`send${row.code}`, { dataDir: world.folder() });
      const refused = world.server.faults.refuseRequests({ operation: SEND, userID: alice.id, code: row.code });
      alice.recording.clear();
      await assert.rejects(say(alice, bob, `${row.code}`), { code: 'OPENIM_SEND_PENDING', retryable: true });
      await alice.recording.heard(row.event);
      assert.deepEqual(endings(alice), [row.event]);
      assert.equal(alice.client.getLoginStatus(), LoginStatus.Logout);
      refused.clear();
      await alice.client.login({ userID: alice.id, token: alice.token });
      await bob.recording.heard('OnRecvNewMessage', ({ textElem }) => textElem.content === `${row.code}`);
    })));
  });

  test('by a gateway that refuses before the upgrade', async (t) => {
    const world = await World.start(t);
    let attempts = 0;
    const gateway = createServer((request, response) => {
      attempts += 1;
      response.setHeader('content-type', 'application/json; charset=utf-8');
      response.end(JSON.stringify({ errCode: 1502, errMsg: 'TokenInvalidError', errDlt: 'token uid bob != userID alice' }));
    });
    gateway.listen(0, '127.0.0.1');
    await once(gateway, 'listening');
    t.after(() => gateway.close());
    const wsAddr = `ws://127.0.0.1:${gateway.address().port}`;
    for (const waitUntil of ['connected', 'synced']) {
      const alice = await visitor(world, { name: waitUntil, waitUntil }, { wsAddr });
      await assert.rejects(alice.client.login(alice.login), { ...refusalOf(TERMINAL[1]), errMsg: /token uid bob/ });
      await assertOver(alice, TERMINAL[1]);
    }
    await patience(world);
    assert.equal(attempts, 2);
  });

  test('a kick ends the session once, and the way back is not tried', async (t) => {
    const world = await World.start(t);
    const kicked = await Promise.all(WAITS.map(async (waitUntil) => {
      const alice = await visitor(world, { name: waitUntil, waitUntil });
      await alice.client.login(alice.login);
      await alice.recording.heard('OnSyncServerFinish');
      alice.recording.clear();
      const handshakes = world.server.faults.refuseHandshakes({ userID: alice.id, code: 1506 });
      world.server.faults.kick({ userID: alice.id });
      await alice.recording.heard('OnKickedOffline');
      return { alice, handshakes };
    }));
    await patience(world);
    for (const { alice, handshakes } of kicked) {
      await assertOver(alice, { event: 'OnKickedOffline' });
      assert.deepEqual(alice.recording.names, ['OnKickedOffline']);
      assert.equal(handshakes.hits, 0, 'attempts to connect');
      handshakes.clear();
      const token = await world.server.token(alice.id, Platform.Linux);
      await assertUsable({ ...alice, login: { ...alice.login, token } });
    }
  });
});

describe('a refused token and a provider', { skip: needsFaultLever, concurrency: true }, () => {
  /** A visitor whose tokens are renewed, and how often that was. */
  async function renewing(world, row, give = () => world.token(row.name)) {
    const asked = { count: 0 };
    const tokenProvider = () => {
      asked.count += 1;
      return give();
    };
    return { ...await visitor(world, row, { tokenProvider }), asked };
  }

  test('at login: renewed once, and the login goes on', async (t) => {
    const world = await World.start(t, { multiLogin: { policy: 0 } });
    await Promise.all(cases(TERMINAL).map((row) => t.test(`${row.code}, waiting until ${row.waitUntil}`, async () => {
      const alice = await renewing(world, row);
      world.server.faults.refuseHandshakes({ userID: alice.id, code: row.code, count: 1 });
      if (row.code === 1506) {
        await failureOf(alice.client.login(alice.login));
        await alice.recording.heard(row.event);
        await assertOver(alice, row);
        assert.equal(alice.asked.count, 0, 'another login took its place: no token changes that');
        return;
      }
      await alice.client.login(alice.login);
      await alice.recording.heard('OnSyncServerFinish');
      assert.equal(alice.asked.count, 1);
      assert.deepEqual(endings(alice), []);
      assert.deepEqual(alice.recording.of('OnConnectFailed'), []);
      assert.equal(alice.recording.of('OnConnectSuccess').length, 1);
    })));
  });

  test('by REST: the call goes on with the new token', async (t) => {
    const world = await World.start(t, { multiLogin: { policy: 0 } });
    await Promise.all(TERMINAL.filter(({ code }) => code !== 1506).map((row) => t.test(`${row.code}`, async () => {
      const alice = await renewing(world, { name: `rest${row.code}`, waitUntil: 'synced' });
      await alice.client.login(alice.login);
      alice.recording.clear();
      const refused = world.server.faults.refuseRequests({ path: SYNC_PATH, userID: alice.id, code: row.code, count: 1 });
      const [{ userID }] = await alice.client.getUsersInfo([alice.id]);
      assert.equal(userID, alice.id);
      assert.deepEqual([refused.left, alice.asked.count], [0, 1]);
      await alice.recording.heard('OnSyncServerFinish');
      assert.deepEqual(endings(alice), []);
    })));
  });

  test('and the new token too: told once, and the provider is not asked for ever', async (t) => {
    const world = await World.start(t, { multiLogin: { policy: 0 } });
    const rows = cases(TERMINAL).filter(({ code }) => code !== 1506);
    const outcomes = await Promise.all(rows.map(async (row) => {
      const alice = await renewing(world, row);
      const refused = world.server.faults.refuseHandshakes({ userID: alice.id, code: row.code });
      if (row.waitUntil === 'local') await alice.client.login(alice.login);
      else await assert.rejects(alice.client.login(alice.login), refusalOf(row));
      await alice.recording.heard(row.event);
      return { row, alice, refused };
    }));
    await patience(world);
    for (const { row, alice, refused } of outcomes) {
      await t.test(`${row.code}, waiting until ${row.waitUntil}`, async () => {
        await assertOver(alice, row);
        assert.deepEqual([refused.hits, alice.asked.count], [2, 1]);
        refused.clear();
        await assertUsable(alice);
      });
    }
  });
});

describe('a refusal that passes', { skip: needsFaultLever, concurrency: true }, () => {
  test('at login: rejected or told, and tried again until it is over', async (t) => {
    const world = await World.start(t);
    await Promise.all(cases(PASSING).map((row) => t.test(`${row.code}, waiting until ${row.waitUntil}`, async () => {
      const alice = await visitor(world, row);
      const refused = world.server.faults.refuseHandshakes({ userID: alice.id, code: row.code, count: 2 });
      const { code, error, retryable } = row;
      if (row.waitUntil === 'local') await alice.client.login(alice.login);
      else await assert.rejects(alice.client.login(alice.login), { code: error, errCode: code, retryable });
      assert.equal(alice.client.getLoginStatus(), LoginStatus.Logged);
      assert.deepEqual(await alice.client.getAllConversationList(), [], 'usable offline');
      await alice.recording.heard('OnSyncServerFinish');
      assert.equal(refused.left, 0);
      assert.deepEqual(alice.recording.of('OnConnectFailed').map(({ errCode }) => errCode), [code, code]);
      assert.deepEqual(alice.recording.names.slice(0, 4), [
        'OnConnecting', 'OnConnectFailed', 'OnConnectFailed', 'OnConnectSuccess',
      ]);
      assert.deepEqual(endings(alice), []);
      await alice.client.login({ ...alice.login, waitUntil: 'synced' });
      await assertUsable(alice);
    })));
  });

  test('on a reconnect: told each time, and the connection comes back', async (t) => {
    const world = await World.start(t);
    await Promise.all(cases(PASSING).map((row) => t.test(`${row.code}, logged in until ${row.waitUntil}`, async () => {
      const alice = await visitor(world, row);
      await alice.client.login(alice.login);
      await alice.recording.heard('OnSyncServerFinish');
      alice.recording.clear();
      world.server.faults.refuseHandshakes({ userID: alice.id, code: row.code, count: 1 });
      world.server.faults.closeConnections({ userID: alice.id });
      const { errCode, errMsg } = await alice.recording.heard('OnConnectFailed');
      assert.deepEqual([errCode, errMsg === ''], [row.code, false]);
      assert.equal(alice.client.getLoginStatus(), LoginStatus.Logged);
      await alice.recording.heard('OnSyncServerFinish');
      assert.deepEqual(alice.recording.names, [
        'OnConnecting', 'OnConnectFailed', 'OnConnectSuccess', 'OnSyncServerStart', 'OnSyncServerFinish',
      ]);
    })));
  });
});
