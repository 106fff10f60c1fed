import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeNativeDevServer, failed, loadFacade, record } from '../support/fake-binding.mjs';

test('a restart stops and starts on the same folder and the ports that were found', async (t) => {
  const { DevServer } = loadFacade();
  const server = await DevServer.start({ dataDir: './server', secret: 's' });
  t.after(() => server.stop());
  const { addresses } = server;
  assert.deepEqual(addresses, {
    apiAddr: 'http://127.0.0.1:4001', wsAddr: 'ws://127.0.0.1:4002', accountAddr: 'http://127.0.0.1:4003',
  });
  await server.restart();
  assert.deepEqual(FakeNativeDevServer.last.log, [
    ['start', { dataDir: './server', secret: 's' }],
    ['stop'],
    ['start', { dataDir: './server', secret: 's', apiPort: 4001, wsPort: 4002, accountPort: 4003 }],
  ]);
  assert.deepEqual(server.addresses, addresses);
});

test('stopping is idempotent, and a restart after it starts again', async (t) => {
  const { DevServer } = loadFacade();
  const server = await DevServer.start();
  t.after(() => server.stop());
  await Promise.all([server.stop(), server.stop()]);
  await server.restart();
  assert.deepEqual(FakeNativeDevServer.last.log.map(([what]) => what), ['start', 'stop', 'start']);
});

test('users and tokens go through, wrong ones are refused by name', async (t) => {
  const { DevServer } = loadFacade();
  const server = await DevServer.start();
  t.after(() => server.stop());
  await server.registerUsers([{ userID: 'alice', nickname: 'Alice', faceURL: '' }]);
  assert.equal(await server.token('alice', 7), 'alice@7');
  await assert.rejects(server.token('alice'), { code: 'OPENIM_ARGS', field: 'platformID' });
  await assert.rejects(server.registerUsers([{ nickname: 'x' }]), { code: 'OPENIM_ARGS', field: 'users[0].userID' });
  await assert.rejects(DevServer.start({ apiPort: '80' }), { code: 'OPENIM_ARGS', field: 'apiPort' });
});

test('a server that cannot start rejects and keeps nothing alive', async () => {
  const { DevServer } = loadFacade({
    NativeDevServer: class {
      async start() {
        return failed(record({ code: 'OPENIM_ADDRESS_IN_USE', errMsg: '127.0.0.1:10002 is in use' }));
      }
    },
  });
  const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
  const before = timers();
  await assert.rejects(DevServer.start(), { message: '127.0.0.1:10002 is in use' });
  assert.equal(timers(), before);
});

test('a build without the dev server says so', async () => {
  const { DevServer } = loadFacade({ NativeDevServer: undefined });
  await assert.rejects(DevServer.start(), { code: 'OPENIM_NOT_SUPPORTED' });
});

test('a server is only made by start', () => {
  const { DevServer } = loadFacade();
  assert.throws(() => new DevServer(), { name: 'TypeError', message: /DevServer\.start/ });
});
