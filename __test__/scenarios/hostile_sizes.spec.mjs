// A server that sends far too much at once: what the client takes of memory is bounded, and it goes on. The client is in a
// process of its own, which must end by itself.
import assert from 'node:assert/strict';
import { pipeline } from 'node:stream/promises';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ClientApart } from '../support/client-apart.mjs';
import { LYING_WIRE, frameHead, startLyingGateway } from '../support/lying-gateway.mjs';
import { message, pulled, textMessage } from '../support/protobuf.mjs';
import { until } from '../support/recording.mjs';
import { needsFaultLever } from '../support/servers.mjs';
import { forward, startStub } from '../support/stub-api.mjs';
import { World, say } from '../support/world.mjs';

const MIB = 2 ** 20;
const GET_NEWEST_SEQ = 1001;
const GET_CONV_MAX_READ_SEQ = 1006;

describe('a server that sends far too much', { skip: needsFaultLever, concurrency: true }, () => {
  /**
   * What a process may take beyond the start: an unpacked frame has at most 64 MiB, and its reader may hold that three
   * times for a moment (growing, decoding base64, decoding protobuf); 32 MiB of pushes wait; the rest is the allocator's.
   */
  const MOST = 400 * MIB;

  const assertBounded = (t, { peak }, before) => {
    const grown = `grew by ${Math.round((peak - before) / MIB)} MiB`;
    t.diagnostic(grown);
    assert.ok(peak - before < MOST, grown);
  };

  async function assertEnds(apart) {
    assert.equal(await apart.close(), 0);
    assert.equal(apart.stderr, '');
  }

  async function assertConnectedAgain(apart) {
    await until('the connection was ended', async () => (await apart.call('stats')).reconnects === 1);
    await until('connected', async () => await apart.call('getConnectionStatus') === 'connected');
  }

  for (const wireFormat of ['gob', 'json']) {
    test(`bombs and giants: memory is bounded and the process ends by itself, over ${wireFormat}`, async (t) => {
      const world = await World.start(t);
      const { faults, addresses } = world.server;
      const alice = await world.enter('alice');
      const login = { userID: world.id('bob'), token: await world.token('bob'), waitUntil: 'synced' };
      const bob = await ClientApart.start(t, { ...addresses, wireFormat, platformID: 7, dataDir: ':memory:' }, login);
      const before = bob.peak;
      // 60 MiB of spaces, which is just allowed, in a frame of 60 kB
      const binary = gzipSync(Buffer.alloc(60 * MIB, ' '));
      for (let i = 0; i < 3; i++) {
        faults.sendFrame({ userID: login.userID, malformed: 'gzipBomb' });
        faults.sendFrame({ userID: login.userID, binary });
      }
      await say(alice, { id: login.userID }, 'after the bombs');
      await until('it arrived', async () => await bob.call('received') === 1);
      faults.sendFrame({ userID: login.userID, malformed: 'oversized', bytes: 64 * MIB });
      await assertConnectedAgain(bob);
      await say(alice, { id: login.userID }, 'after the giant');
      await until('it arrived', async () => await bob.call('received') === 2);
      assertBounded(t, bob, before);
      await assertEnds(bob);
    });
  }

  test('a REST answer and a frame of a hundred megabytes', async (t) => {
    const world = await World.start(t);
    const gateway = await startLyingGateway(t, world.server.addresses);
    let lie = false;
    let given = 0;
    const megabytes = function* megabytes() {
      for (; given < 100; given++) yield Buffer.alloc(MIB, ' ');
    };
    const stub = await startStub(t, (...request) => (
      lie ? (response) => pipeline(megabytes, response).catch(() => {}) : forward(world.server.addresses, ...request)
    ));
    const login = { userID: world.id('bob'), token: await world.token('bob'), waitUntil: 'synced' };
    const addresses = { apiAddr: stub.apiAddr, wsAddr: gateway.wsAddr };
    const bob = await ClientApart.start(t, { ...addresses, ...LYING_WIRE, platformID: 7, dataDir: ':memory:' }, login);
    const before = bob.peak;
    lie = true;
    const expected = { code: 'OPENIM_PROTOCOL', message: /answered more than 16777216 bytes/ };
    await assert.rejects(bob.call('getUsersInfo', [login.userID]), expected);
    lie = false;
    assert.ok(given < 100, 'it was read to the end');
    gateway.write(frameHead(2, 100 * MIB));
    gateway.write(Buffer.alloc(100 * MIB));
    await assertConnectedAgain(bob);
    assert.equal((await bob.call('getUsersInfo', [login.userID]))[0].userID, login.userID);
    assertBounded(t, bob, before);
    await assertEnds(bob);
  });

  test('large pushes, faster than they are stored', async (t) => {
    const world = await World.start(t);
    const gateway = await startLyingGateway(t, world.server.addresses);
    const login = { userID: world.id('bob'), token: await world.token('bob'), waitUntil: 'synced' };
    const config = { ...world.server.addresses, ...LYING_WIRE, wsAddr: gateway.wsAddr, platformID: 7 };
    const bob = await ClientApart.start(t, { ...config, dataDir: world.folder() }, login);
    // the second comparison, which finds that the true server knows of none of what follows, is over
    await until('it compared twice', () => [GET_NEWEST_SEQ, GET_CONV_MAX_READ_SEQ].every((one) => gateway.passed[one] === 2));
    const before = bob.peak;
    const content = JSON.stringify({ content: 'x'.repeat(4 * MIB) });
    for (let seq = 1; seq <= 16; seq++) {
      const one = textMessage({ from: 'alice', to: login.userID, seq, text: `${seq}` });
      gateway.send(pulled(world.chat('alice', 'bob'), [Buffer.concat([one, message([12, content])])]));
    }
    await until('they are stored', async () => await bob.call('getTotalUnreadMsgCount') === 16, 60_000);
    assertBounded(t, bob, before);
    await assertEnds(bob);
  });
});
