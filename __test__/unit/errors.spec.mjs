import assert from 'node:assert/strict';
import { test } from 'node:test';
import errors from '../../js/errors.js';

const { OpenIMError, abortedError, argsError } = errors;
const RECORD = {
  code: 'OPENIM_ARGS', errCode: 10002, errMsg: 'userID must be a string', operationID: 'op', retryable: false,
  field: 'userID',
};

test('an error carries its record, and its text is the message', () => {
  const error = new OpenIMError(RECORD);
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'OpenIMError');
  assert.equal(error.message, 'userID must be a string');
  assert.deepEqual({ ...error }, RECORD);
  assert.match(error.stack, /^OpenIMError: userID must be a string/);
});

test('an error without a field has no such property', () => {
  const { field, ...rest } = RECORD;
  assert.equal('field' in new OpenIMError(rest), false);
  assert.equal('field' in new OpenIMError(rest).toJSON(), false);
});

test('an error survives JSON and structured clone', () => {
  const error = new OpenIMError(RECORD);
  for (const copy of [JSON.parse(JSON.stringify(error)), structuredClone(error.toJSON())]) {
    const again = OpenIMError.from(copy);
    assert.ok(again instanceof OpenIMError);
    assert.deepEqual(again.toJSON(), error.toJSON());
  }
  assert.equal(OpenIMError.from(error), error);
});

test("a server's detail is in the message, and survives too", () => {
  const error = new OpenIMError({ ...RECORD, errMsg: 'ArgsError', errDlt: 'userID is empty' });
  assert.equal(error.message, 'ArgsError: userID is empty');
  assert.deepEqual([error.errMsg, error.errDlt], ['ArgsError', 'userID is empty']);
  const again = OpenIMError.from(JSON.parse(JSON.stringify(error)));
  assert.deepEqual([again.message, again.errDlt], [error.message, error.errDlt]);
  const { errDlt } = new OpenIMError(RECORD);
  assert.equal(errDlt, undefined);
  assert.equal(new OpenIMError({ ...RECORD, errDlt: '' }).message, RECORD.errMsg);
});

test('the reason of an abort is its cause', () => {
  const reason = new Error('window closed');
  const error = abortedError(reason, 'op');
  assert.equal(error.cause, reason);
  assert.deepEqual([error.code, error.errCode, error.operationID], ['OPENIM_ABORTED', 10003, 'op']);
});

test('a wrong parameter is named', () => {
  const error = argsError('platformID', 'must be a number');
  assert.deepEqual(
    [error.code, error.errCode, error.field, error.message],
    ['OPENIM_ARGS', 10002, 'platformID', 'platformID must be a number'],
  );
});
