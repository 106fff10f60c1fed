// Companies let out what goes through their proxy only.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { OpenIM, Platform } from 'openim-node';
import { startProxy } from '../support/proxies.mjs';
import { needsOwnServer } from '../support/servers.mjs';
import { World, say, textOf } from '../support/world.mjs';

/** The server's addresses under a name that only the proxy knows. */
function hidden({ apiAddr, wsAddr }) {
  const hide = (address) => address.replace('127.0.0.1', 'im.invalid');
  return { apiAddr: hide(apiAddr), wsAddr: hide(wsAddr) };
}

for (const kind of ['http', 'socks5']) {
  test(`alice logs in and writes to bob through a proxy (${kind})`, { skip: needsOwnServer }, async (t) => {
    const world = await World.start(t);
    const { host, asked } = await startProxy(t, kind, 'alice:s@fe');
    const addresses = hidden(world.server.addresses);
    const bob = await world.enter('bob');
    const alice = await world.enter('alice', { ...addresses, proxy: `${kind}://alice:s%40fe@${host}` });
    await say(alice, bob, 'from behind the wall');
    assert.equal(textOf((await bob.recording.messages(1))[0]), 'from behind the wall');

    await say(bob, alice, 'welcome');
    assert.equal(textOf((await alice.recording.messages(1))[0]), 'welcome');

    const port = new URL(addresses.wsAddr).port;
    assert.ok(asked.includes(kind === 'http' ? `CONNECT im.invalid:${port}` : `im.invalid:${port}`), asked.join());
    assert.ok(asked.some((line) => line.includes(new URL(addresses.apiAddr).host)), 'the REST calls go there too');
  });

  test(`a proxy that refuses is named without its password (${kind})`, { skip: needsOwnServer }, async (t) => {
    const world = await World.start(t);
    const { host } = await startProxy(t, kind, 'alice:right');
    const entering = world.enter('alice', { proxy: `${kind}://alice:pass-word@${host}`, waitUntil: 'connected' });
    await assert.rejects(entering, (error) => {
      assert.equal(error.code, 'OPENIM_PROXY');
      assert.equal(error.retryable, true);
      assert.ok(error.message.includes(`${kind}://${host}`), error.message);
      assert.ok(!error.message.includes('pass-word'), error.message);
      return true;
    });
  });
}

test('what is no proxy and no certificate names its field', async () => {
  const addresses = { apiAddr: 'https://im.invalid', wsAddr: 'wss://im.invalid' };
  const config = { ...addresses, platformID: Platform.Linux, dataDir: ':memory:' };
  const refused = (more, field) => assert.rejects(OpenIM.open({ ...config, ...more }), (error) => {
    assert.equal(error.code, 'OPENIM_ARGS');
    assert.equal(error.field, field);
    assert.ok(!error.message.includes('secret'), error.message);
    return true;
  });
  await refused({ proxy: 'ftp://alice:secret@host' }, 'proxy');
  await refused({ caCertificates: 'no/such/file.pem' }, 'caCertificates[0]');
  await refused({ caCertificates: [], wsAddr: 'wss://' }, 'wsAddr');
});

test("the environment's proxies do not count", { skip: needsOwnServer }, async () => {
  const script = fileURLToPath(new URL('../support/in-a-process.mjs', import.meta.url));
  const nobody = 'http://127.0.0.1:9';
  const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY', 'all_proxy', 'ALL_PROXY'];
  const env = { ...process.env, ...Object.fromEntries(names.map((name) => [name, nobody])), no_proxy: '', NO_PROXY: '' };
  const { stdout } = await promisify(execFile)(process.execPath, [script, 'close'], { env });
  assert.equal(stdout, 'lived\n');
});
