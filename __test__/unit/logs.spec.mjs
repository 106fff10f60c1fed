import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { failed, loadFacade, ok, record } from '../support/fake-binding.mjs';

/** The facade over logs that the test drives. */
function facade(batches = []) {
  const log = { calls: [] };
  const { OpenIM } = loadFacade({
    async configureLogs(params, onRecords) {
      log.calls.push(JSON.parse(params));
      log.onRecords = onRecords;
      return log.answer ?? ok();
    },
    async exportLogs(params) {
      log.calls.push(JSON.parse(params));
      return ok('/logs/export.gz');
    },
    takeLogs: () => batches.shift() ?? null,
  });
  return { OpenIM, log };
}

const refusals = [
  [undefined, 'params'], [{ logLevel: 5 }, 'logLevel'], [{ logLevel: 'loud' }, 'logLevel'], [{ logDir: 1 }, 'logDir'],
  [{ maxFileBytes: '5MB' }, 'maxFileBytes'], [{ maxFiles: 1.5 }, 'maxFiles'], [{ onLog: 'console' }, 'onLog'],
];
for (const [config, field] of refusals) {
  test(`a wrong ${field} is refused: ${JSON.stringify(config)}`, async () => {
    const { OpenIM, log } = facade();
    await assert.rejects(OpenIM.configureLogs(config), { code: 'OPENIM_ARGS', field });
    assert.deepEqual(log.calls, []);
  });
}

test('settings cross without the listener, which gets every record in order, a batch per turn', async () => {
  const batches = [[{ n: 1 }, { n: 2 }], [{ n: 3 }]].map((batch) => JSON.stringify(batch));
  const { OpenIM, log } = facade(batches);
  const heard = [];
  await OpenIM.configureLogs({ logLevel: 'debug', logDir: 'logs', maxFiles: 2, onLog: ({ n }) => heard.push(n) });
  assert.deepEqual(log.calls, [{ logLevel: 'debug', logDir: 'logs', maxFiles: 2 }]);
  log.onRecords();
  assert.deepEqual(heard, [1, 2]);
  await nextTurn();
  await nextTurn();
  assert.deepEqual(heard, [1, 2, 3]);
});

test('a listener that throws costs no record and surfaces as an uncaught exception', async (t) => {
  const { OpenIM, log } = facade([JSON.stringify([{ n: 1 }, { n: 2 }])]);
  const heard = [];
  const onLog = ({ n }) => {
    heard.push(n);
    if (n === 1) throw new Error('in a listener');
  };
  await OpenIM.configureLogs({ onLog });
  const uncaught = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => uncaught.push(error.message));
  t.after(() => {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  log.onRecords();
  await nextTurn();
  assert.deepEqual([heard, uncaught], [[1, 2], ['in a listener']]);
});

test('a refusal by the core, the path of an export, and a wrong path', async () => {
  const { OpenIM, log } = facade();
  log.answer = failed(record({ code: 'OPENIM_DATA_DIR' }));
  await assert.rejects(OpenIM.configureLogs({ logDir: '/' }), { code: 'OPENIM_DATA_DIR' });
  assert.equal(await OpenIM.exportLogs(), '/logs/export.gz');
  assert.equal(await OpenIM.exportLogs('x.gz'), '/logs/export.gz');
  assert.deepEqual(log.calls.slice(1), [null, 'x.gz']);
  await assert.rejects(OpenIM.exportLogs(7), { code: 'OPENIM_ARGS', field: 'path' });
});
