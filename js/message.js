'use strict';

/** A legacy revocation (111) is plain content by nature. */
const PLAIN_CONTENT = 111;

/**
 * Whether a message is of a kind that this version does not know, or cannot be read: its text stands in `content`
 * instead of an element.
 */
function isUnknownMessage(message) {
  return typeof message.content === 'string' && message.contentType !== PLAIN_CONTENT;
}

module.exports = { isUnknownMessage };
