import assert from 'node:assert/strict';
import { test } from 'node:test';
import methods from '../../js/methods.js';
import validate from '../../js/validate.js';

const { METHODS, SYNC_METHODS, config } = methods;
const CONFIG = { apiAddr: 'http://a', wsAddr: 'ws://a', platformID: 7, dataDir: 'd' };
const MESSAGE = { clientMsgID: 'x', contentType: 101 };

/** The message of the refusal, or undefined if the value passes. */
function refusal(check, value) {
  try {
    check(value);
  } catch (error) {
    assert.equal(error.code, 'OPENIM_ARGS');
    assert.ok(error.message.startsWith(error.field));
    return error.message;
  }
  return undefined;
}

const refusals = [
  [config, undefined, 'params must be an object'],
  [config, null, 'params must be an object'],
  [config, [], 'params must be an object'],
  [config, {}, 'apiAddr must be a string'],
  [config, { ...CONFIG, wsAddr: 5 }, 'wsAddr must be a string'],
  [config, { ...CONFIG, platformID: '7' }, 'platformID must be a number'],
  [config, { ...CONFIG, platformID: NaN }, 'platformID must be a number'],
  [config, { ...CONFIG, platformID: 7.5 }, 'platformID must be an integer'],
  [config, { ...CONFIG, dataDir: null }, 'dataDir must be a string'],
  [config, { ...CONFIG, compression: 'yes' }, 'compression must be a boolean'],
  [config, { ...CONFIG, wireFormat: 'xml' }, "wireFormat must be one of 'json', 'gob'"],
  [config, { ...CONFIG, onCorruptDatabase: 'ignore' }, "onCorruptDatabase must be one of 'fail', 'reset'"],
  [config, { ...CONFIG, proxy: { host: 'p' } }, 'proxy must be a string'],
  [config, { ...CONFIG, caCertificates: 1 }, 'caCertificates must be a string'],
  [config, { ...CONFIG, caCertificates: ['pem', 2] }, 'caCertificates[1] must be a string'],
  [METHODS.login, { userID: 1, token: 't' }, 'userID must be a string'],
  [METHODS.login, { userID: 'u' }, 'token must be a string'],
  [METHODS.login, { userID: 'u', token: 't', waitUntil: 'done' },
    "waitUntil must be one of 'local', 'connected', 'synced'"],
  [METHODS.sendMessage, { recvID: 'b' }, 'message must be an object'],
  [METHODS.sendMessage, { recvID: 'b', message: 'hello' }, 'message must be an object'],
  [METHODS.sendMessage, { recvID: 'b', message: { clientMsgID: 'x' } }, 'message.contentType must be a number'],
  [METHODS.sendMessage, { recvID: 7, message: MESSAGE }, 'recvID must be a string'],
  [METHODS.getUsersInfo, 'alice', 'userIDList must be an array'],
  [METHODS.getUsersInfo, ['alice', 2], 'userIDList[1] must be a string'],
  [METHODS.getAdvancedHistoryMessageList, { conversationID: 'c' }, 'count must be a number'],
  [METHODS.markConversationMessageAsRead, { conversationID: 'c' }, 'conversationID must be a string'],
  [SYNC_METHODS.createTextMessage, undefined, 'text must be a string'],
  [SYNC_METHODS.getConversationIDBySessionType, { sourceID: 'b' }, 'sessionType must be a number'],
];

for (const [check, value, message] of refusals) {
  test(`refused: ${message}`, () => assert.equal(refusal(check, value), message));
}

test('what is right passes, with and without the optional fields', () => {
  assert.equal(refusal(config, CONFIG), undefined);
  assert.equal(refusal(config, { ...CONFIG, sendTimeout: 5, wireFormat: 'json', onCorruptDatabase: 'reset' }), undefined);
  assert.equal(refusal(config, { ...CONFIG, sendTimeout: 5, onCorruptDatabase: 'reset' }), undefined);
  assert.equal(refusal(config, { ...CONFIG, proxy: 'socks5://p', caCertificates: 'ca.pem' }), undefined);
  assert.equal(refusal(config, { ...CONFIG, caCertificates: ['one.pem', 'two.pem'] }), undefined);
  assert.equal(refusal(METHODS.login, { userID: 'u', token: 't', waitUntil: 'synced' }), undefined);
  assert.equal(refusal(METHODS.login, { userID: 'u', token: 't', waitUntil: undefined }), undefined);
  assert.equal(refusal(METHODS.sendMessage, { recvID: 'b', groupID: '', message: MESSAGE }), undefined);
  assert.equal(refusal(METHODS.getUsersInfo, []), undefined);
});

test('options are checked like parameters', () => {
  const check = (options) => refusal((value) => validate.options(value, 'options'), options);
  assert.equal(check({}), undefined);
  assert.equal(check({ signal: new AbortController().signal, operationID: 'op' }), undefined);
  assert.equal(check({ signal: {} }), 'options.signal must be an AbortSignal');
  assert.equal(check({ operationID: 1 }), 'options.operationID must be a string');
  assert.equal(check('op'), 'options must be an object');
});
