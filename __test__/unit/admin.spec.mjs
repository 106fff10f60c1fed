import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { Admin } from 'openim-node/admin';
import { startStub, success, refusal } from '../support/stub-api.mjs';

const LOGIN = '/auth/get_admin_token';
const TIME = '/msg/get_server_time';
const DAY = 86_400;

/** A stub whose administrator logs in as `secret`, and that answers everything else by `rest`. */
async function stubAndAdmin(t, rest, { lifetime = DAY, ...config } = {}) {
  let logins = 0;
  const stub = await startStub(t, (path, body, headers) => {
    if (path !== LOGIN) return rest(path, body, headers);
    logins += 1;
    return success({ token: `token${logins}`, expireTimeSeconds: lifetime });
  });
  return { stub, admin: await Admin.open({ apiAddr: stub.apiAddr, secret: 'hush-hush', ...config }) };
}

const loggedIn = () => success({ token: 't', expireTimeSeconds: DAY });

const time = () => success({ serverTime: 5 });

for (const [what, change, field] of [
  ['nothing', undefined, 'params'],
  ['no address', { apiAddr: undefined }, 'apiAddr'],
  ['an address without a scheme', { apiAddr: '127.0.0.1:10002' }, 'apiAddr'],
  ['a gateway address', { apiAddr: 'ws://127.0.0.1:10001' }, 'apiAddr'],
  ['no secret', { secret: undefined }, 'secret'],
  ['an empty secret', { secret: '' }, 'secret'],
  ['a number as id', { adminUserID: 7 }, 'adminUserID'],
  ['a timeout of 0', { timeout: 0 }, 'timeout'],
  ['a timeout that no timer takes', { timeout: 2 ** 31 }, 'timeout'],
]) {
  test(`open refuses ${what}`, async () => {
    const config = change && { apiAddr: 'http://127.0.0.1:1', secret: 's', ...change };
    await assert.rejects(Admin.open(config), { name: 'OpenIMError', code: 'OPENIM_ARGS', errCode: 10002, field });
  });
}

test('open connects nothing, and an admin is made by open', async () => {
  await Admin.open({ apiAddr: 'http://127.0.0.1:1', secret: 's' });
  await assert.rejects(Admin.open({ apiAddr: 'http://a', secret: 's' }, { signal: 7 }), { field: 'options.signal' });
  assert.throws(() => new Admin({ apiAddr: 'http://127.0.0.1:1', secret: 's' }), TypeError);
});

test('the token is fetched by the first call, once for all that run, and kept', async (t) => {
  const { stub, admin } = await stubAndAdmin(t, time);
  assert.deepEqual(await Promise.all([1, 2, 3].map(() => admin.getServerTime())), [5, 5, 5]);
  assert.equal(await admin.getAdminToken(), 'token1');
  await admin.getServerTime();
  assert.deepEqual(stub.of(LOGIN).map(({ body }) => body), [{ secret: 'hush-hush', userID: 'imAdmin' }]);
  assert.deepEqual(stub.of(TIME).map(({ headers }) => headers.token), Array(4).fill('token1'));
});

test('a token that is about to expire is renewed before it is used', async (t) => {
  const { stub, admin } = await stubAndAdmin(t, time, { lifetime: 60 });
  await admin.getServerTime();
  await admin.getServerTime();
  assert.deepEqual(stub.of(TIME).map(({ headers }) => headers.token), ['token1', 'token2']);
});

for (const errCode of [1501, 1502, 1503, 1504, 1505, 1506, 1507]) {
  test(`a token that is refused with ${errCode} is renewed, and the call is made once more`, async (t) => {
    const { stub, admin } = await stubAndAdmin(t, (path, body, { token }) => (
      token === 'token1' ? refusal(errCode, 'TokenError') : success({ serverMsgID: 's', clientMsgID: 'c', sendTime: 1 })
    ));
    const calls = [1, 2, 3].map(() => admin.sendBusinessNotification({
      sendUserID: 'alice', recvUserID: 'bob', key: 'k', data: 'd',
    }));
    for (const sent of await Promise.all(calls)) assert.equal(sent.clientMsgID, 'c');
    assert.equal(stub.of(LOGIN).length, 2, 'one renewal for all');
    const taken = stub.of('/msg/send_business_notification').filter(({ headers }) => headers.token === 'token2');
    assert.equal(taken.length, 3);
  });
}

test('a server that refuses every token is asked twice, and its refusal is the error', async (t) => {
  const { stub, admin } = await stubAndAdmin(t, () => refusal(1507, 'TokenNotExistError'));
  await assert.rejects(admin.getServerTime(), { code: 'OPENIM_TOKEN_INVALID', errCode: 1507 });
  assert.equal(stub.of(TIME).length, 2);
});

test('a refusal of the token that is parsed is no refusal of the administrator', async (t) => {
  const { stub, admin } = await stubAndAdmin(t, () => refusal(1506, 'TokenKickedError'));
  await assert.rejects(admin.parseToken('t'), { code: 'OPENIM_KICKED_OFFLINE', errCode: 1506 });
  assert.equal(stub.requests.length, 1);
  assert.equal(stub.requests[0].headers.token, undefined);
});

test('a login that failed is tried again by the next call', async (t) => {
  let attempts = 0;
  const stub = await startStub(t, (path) => {
    if (path === TIME) return time();
    attempts += 1;
    return attempts === 1 ? refusal(500, 'ServerInternalError', 'not now') : loggedIn();
  });
  const admin = await Admin.open({ apiAddr: stub.apiAddr, secret: 's' });
  await assert.rejects(admin.getServerTime(), { code: 'OPENIM_SERVER_INTERNAL', errCode: 500, retryable: true });
  assert.equal(await admin.getServerTime(), 5);
});

test("a refusal has the server's number, name and detail, and a name of ours", async (t) => {
  const { admin } = await stubAndAdmin(t, (path, { errCode }) => refusal(errCode, 'TheName', 'which rule'));
  for (const [errCode, code, retryable] of [
    [500, 'OPENIM_SERVER_INTERNAL', true],
    [1001, 'OPENIM_SERVER_ARGS', false],
    [1101, 'OPENIM_RECORD_NOT_FOUND', false],
    [1302, 'OPENIM_BLOCKED_BY_PEER', false],
    [80123, 'OPENIM_SERVER', false],
  ]) {
    await assert.rejects(admin.post('/any', { errCode }, { operationID: 'op-7' }), {
      name: 'OpenIMError', message: 'TheName: which rule', code, errCode, errMsg: 'TheName', errDlt: 'which rule',
      operationID: 'op-7', retryable,
    });
  }
});

test("a server's call stack does not get into the error", async (t) => {
  const { admin } = await stubAndAdmin(t, () => refusal(1001, 'Error: Error: bad body | -> /srv/main.go:7'));
  await assert.rejects(admin.post('/any'), { errMsg: 'Error: Error: bad body' });
});

test('an answer without an envelope: not offered, or not understood', async (t) => {
  const { admin } = await stubAndAdmin(t, (path, { status, text }) => (response) => {
    response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
  });
  const plain = (status, text) => admin.post('/any', { status, text });
  await assert.rejects(plain(404, '404 page not found'), {
    code: 'OPENIM_NOT_SUPPORTED', errCode: 10301, message: 'this server has no /any',
  });
  for (const text of ['<html>Bad gateway</html>', '', '{"error":"x"}', 'null', '[]']) {
    const expected = { code: 'OPENIM_PROTOCOL', errCode: 10202, retryable: true, message: /502/ };
    await assert.rejects(plain(502, text), expected);
  }
});

test('a redirect is not followed', async (t) => {
  const { stub, admin } = await stubAndAdmin(t, (path) => (response) => {
    response.writeHead(307, { location: path === '/any' ? '/elsewhere' : '/any' }).end();
  });
  await assert.rejects(admin.post('/any'), { code: 'OPENIM_NETWORK', message: /redirect/ });
  assert.deepEqual(stub.of('/elsewhere'), []);
});

test('an address may have a path, and a slash at its end', async (t) => {
  const stub = await startStub(t, loggedIn);
  const admin = await Admin.open({ apiAddr: `${stub.apiAddr}/im/api/`, secret: 's' });
  await admin.getAdminToken();
  assert.equal(stub.requests[0].path, `/im/api${LOGIN}`);
});

test('no answer in time, or no server: errors that say so', async (t) => {
  const stub = await startStub(t, () => () => {});
  const slow = await Admin.open({ apiAddr: stub.apiAddr, secret: 's', timeout: 50 });
  await assert.rejects(slow.getServerTime({ operationID: 'slow' }), {
    code: 'OPENIM_TIMEOUT', errCode: 10001, retryable: true, operationID: 'slow', message: /admin_token within 50 ms/,
  });
  const lost = await Admin.open({ apiAddr: 'http://127.0.0.1:1', secret: 's' });
  await assert.rejects(lost.getServerTime(), (error) => {
    assert.deepEqual([error.code, error.errCode, error.retryable], ['OPENIM_NETWORK', 10000, true]);
    assert.ok(error.message.startsWith(LOGIN), error.message);
    assert.ok(error.cause instanceof Error);
    return true;
  });
});

test('an abort ends the waiting call and nobody else\'s', async (t) => {
  let answerLogin;
  const stub = await startStub(t, (path) => {
    if (path === TIME) return time();
    return (response) => { answerLogin = () => response.end(JSON.stringify(loggedIn())); };
  });
  const admin = await Admin.open({ apiAddr: stub.apiAddr, secret: 's' });
  const stop = new AbortController();
  const impatient = admin.getServerTime({ signal: stop.signal, operationID: 'impatient' });
  const patient = admin.getServerTime();
  while (answerLogin === undefined) await new Promise(setImmediate);
  stop.abort('changed my mind');
  await assert.rejects(impatient, { code: 'OPENIM_ABORTED', cause: 'changed my mind', operationID: 'impatient' });
  answerLogin();
  assert.equal(await patient, 5);
  assert.equal(stub.of(TIME).length, 1);
});

test('an abort ends a request under way, and one before it asks nothing', async (t) => {
  const stop = new AbortController();
  const { stub, admin } = await stubAndAdmin(t, () => () => stop.abort('enough'));
  await assert.rejects(admin.getServerTime({ signal: stop.signal }), { code: 'OPENIM_ABORTED', cause: 'enough' });
  const asked = stub.requests.length;
  await assert.rejects(admin.getServerTime({ signal: stop.signal }), { code: 'OPENIM_ABORTED' });
  await assert.rejects(Admin.open({ apiAddr: 'http://a', secret: 's' }, { signal: stop.signal }), {
    code: 'OPENIM_ABORTED',
  });
  assert.equal(stub.requests.length, asked);
});

test('an operation id is sent as it is; one that no header takes is refused', async (t) => {
  const { stub, admin } = await stubAndAdmin(t, time);
  await admin.getServerTime({ operationID: 'my-op' });
  await admin.getServerTime();
  const [own, made] = stub.of(TIME).map(({ headers }) => headers.operationid);
  assert.equal(own, 'my-op');
  assert.notEqual(made, '');
  for (const operationID of ['', 'two words', 'naïve\n']) {
    await assert.rejects(admin.getServerTime({ operationID }), { code: 'OPENIM_ARGS', field: 'options.operationID' });
  }
  await assert.rejects(admin.getServerTime({ operationID: 7 }), { code: 'OPENIM_ARGS', field: 'options.operationID' });
});

test('post takes any path and body, and gives the data as it is', async (t) => {
  const { stub, admin } = await stubAndAdmin(t, (path) => success(path === '/empty' ? undefined : { list: null }));
  assert.deepEqual(await admin.post('/some', { a: 1 }), { list: null });
  assert.deepEqual(await admin.post('/empty'), {});
  assert.deepEqual(stub.of('/some')[0].body, { a: 1 });
  assert.deepEqual(stub.of('/empty')[0].body, {});
  const loop = {};
  loop.itself = loop;
  for (const [field, ...args] of [
    ['path', 'some'], ['path', 7], ['body', '/some', 'text'], ['params', '/some', loop],
  ]) {
    await assert.rejects(admin.post(...args), { code: 'OPENIM_ARGS', field });
  }
});

test('neither the secret nor a token is in what an admin or an error shows', async (t) => {
  const { admin } = await stubAndAdmin(t, () => refusal(1002, 'NoPermissionError'));
  const error = await admin.getServerTime().catch((reason) => reason);
  for (const shown of [inspect(admin, { depth: 9, showHidden: true }), JSON.stringify(admin), inspect(error)]) {
    assert.doesNotMatch(shown, /hush-hush|token1/);
  }
});

test('every name of a refusal stands in the glossary', () => {
  const read = (file) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const glossary = read('docs/errors.md');
  const sources = read('admin/rest.js') + read('js/refusals.js');
  const thrown = [...sources.matchAll(/'(OPENIM_\w+)'/g)].map(([, code]) => code);
  assert.ok(thrown.length > 20);
  for (const code of thrown) assert.ok(glossary.includes(`| \`${code}\` |`), code);
});

test('it works where the native binary cannot be loaded, and keeps no process alive', async (t) => {
  const stub = await startStub(t, () => success({ token: 'from afar', expireTimeSeconds: DAY }));
  const script = `
    process.dlopen = () => { throw new Error('no binaries here'); };
    const { Admin } = require('openim-node/admin');
    Admin.open({ apiAddr: '${stub.apiAddr}', secret: 's' })
      .then((admin) => admin.getAdminToken())
      .then((token) => console.log(token));
  `;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill());
  let printed = '';
  child.stdout.on('data', (data) => { printed += data; });
  const [code] = await once(child, 'close');
  assert.deepEqual([code, printed], [0, 'from afar\n']);
});
