// `npm run conformance` itself: against a server in another process, which has data of an earlier run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Admin } from 'openim-node/admin';
import { root } from '../scripts/run.mjs';
import { startCommand } from '../scripts/server-command.mjs';

const LOGIN = { secret: 'of the named server', adminUserID: 'boss' };

/** Starts `openim-dev-server` with a folder; it ends with the test. */
async function startNamedServer(t) {
  const folder = mkdtempSync(join(tmpdir(), 'openim-node-test-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const args = ['--data', folder, '--secret', LOGIN.secret, '--admin', LOGIN.adminUserID];
  const { addresses, stop } = await startCommand(...args);
  t.after(stop);
  return { OPENIM_API: addresses.apiAddr, OPENIM_WS: addresses.wsAddr };
}

/** Runs the specs whose path has one of the words against the server that `env` names. */
async function conform(t, env, ...words) {
  // a test runner inside a test runner would not run anything
  const { NODE_TEST_CONTEXT, OPENIM_API, OPENIM_WS, OPENIM_SECRET, OPENIM_ADMIN, ...others } = process.env;
  const child = spawn(process.execPath, ['scripts/test.mjs', '--conformance', ...words], {
    cwd: root, env: { ...others, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill());
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { printed += text; });
  const [code] = await once(child, 'close');
  return { code, printed };
}

/** A figure of the test runner's summary. */
const figure = (printed, name) => Number(new RegExp(`^ℹ ${name} (\\d+)$`, 'm').exec(printed)?.[1]);

test('the scenarios run against a named server, again on the data of the first run', async (t) => {
  const server = await startNamedServer(t);
  const env = { ...server, OPENIM_SECRET: LOGIN.secret, OPENIM_ADMIN: LOGIN.adminUserID };
  const admin = await Admin.open({ apiAddr: server.OPENIM_API, ...LOGIN });
  const users = async () => (await admin.getAllUserIDs({ pageNumber: 1, showNumber: 1 })).total;
  const before = await users();
  const made = [];
  for (const run of ['first', 'second']) {
    const { code, printed } = await conform(t, env, 'two_devices', 'server_restart', 'conversation');
    assert.equal(code, 0, `${run} run: ${printed}`);
    assert.equal(figure(printed, 'fail'), 0);
    assert.ok(figure(printed, 'pass') >= 10, printed);
    assert.ok(printed.includes(`against ${server.OPENIM_API}`), printed);
    // what restarts its server cannot run there, and says so
    const skipped = printed.match(/^﹣ .*$/gm) ?? [];
    assert.equal(figure(printed, 'skipped'), skipped.length, printed);
    assert.ok(skipped.some((line) => line.endsWith(' # needs a server of its own, to start and stop')), printed);
    for (const line of skipped) assert.match(line, / # needs /);
    made.push(await users());
  }
  assert.ok(made[0] > before, 'it was the named server that they ran against');
  assert.equal(made[1] - made[0], made[0] - before, 'with users of their own in each run');
});

test('a server that is not named, is not there, or has another secret is one clear line', async (t) => {
  const server = await startNamedServer(t);
  for (const [env, line] of [
    [{}, /^name the server: OPENIM_API=/],
    [{ ...server }, /^name the server: .*OPENIM_SECRET=/],
    [{ ...server, OPENIM_SECRET: 'wrong', OPENIM_ADMIN: 'boss' }, /does not let boss in: .*secret invalid$/],
    [{ ...server, OPENIM_SECRET: LOGIN.secret }, /does not let imAdmin in: /],
    [{ ...server, OPENIM_API: 'http://127.0.0.1:1', OPENIM_SECRET: 's' }, /the server at http:\/\/127\.0\.0\.1:1 /],
  ]) {
    const { code, printed } = await conform(t, env);
    assert.equal(code, 1, printed);
    assert.match(printed.trimEnd(), line);
    assert.equal(printed.trimEnd().split('\n').length, 1, printed);
  }
});
