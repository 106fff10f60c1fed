import assert from 'node:assert/strict';
import { test } from 'node:test';
import messages from '../../js/message.js';

test('a message is unknown if its text stands in content instead of an element', () => {
  const isUnknown = (message) => messages.isUnknownMessage(message);
  assert.equal(isUnknown({ contentType: 101, textElem: { content: 'hello' } }), false);
  assert.equal(isUnknown({ contentType: 1501, notificationElem: { detail: '{}' } }), false);
  assert.equal(isUnknown({ contentType: 111, content: 'id' }), false);
  assert.equal(isUnknown({ contentType: 9999, content: '{"new":true}' }), true);
  assert.equal(isUnknown({ contentType: 101, content: 'not JSON' }), true);
});
