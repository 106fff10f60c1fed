'use strict';

const { argsError } = require('../js/errors');
const { MessageType } = require('../js/constants');
const { arrayOf, integer, nonEmpty, object, oneOf, optional, positive, string } = require('../js/validate');

/** What the content of a message sent through the API must have (http.md 2.7.3). */

const picture = object({ type: nonEmpty, width: positive, height: positive, url: nonEmpty });

function notZero(value, field) {
  integer(value, field);
  if (value === 0) throw argsError(field, 'must not be 0');
}

/** Check of the content by content type; the server takes no others. */
const CONTENTS = new Map([
  [MessageType.TextMessage, object({ content: nonEmpty })],
  [MessageType.PictureMessage, object({ sourcePicture: picture, bigPicture: picture, snapshotPicture: picture })],
  [MessageType.VoiceMessage, object({ sourceUrl: nonEmpty, duration: positive })],
  [MessageType.VideoMessage, object({
    videoUrl: nonEmpty,
    videoType: nonEmpty,
    videoSize: positive,
    duration: positive,
    snapshotUrl: nonEmpty,
    snapshotWidth: positive,
    snapshotHeight: positive,
  })],
  [MessageType.FileMessage, object({ sourceUrl: nonEmpty, fileName: nonEmpty, fileSize: positive })],
  [MessageType.AtTextMessage, object({ text: optional(string), atUserList: arrayOf(nonEmpty) })],
  [MessageType.CustomMessage, object({ data: nonEmpty, description: optional(string), extension: optional(string) })],
  [MessageType.QuoteMessage, object({ text: optional(string), quoteMessage: optional(object({})) })],
  [MessageType.MarkdownMessage, object({ content: nonEmpty })],
  [MessageType.OANotification, object({
    notificationName: nonEmpty,
    notificationType: notZero,
    text: nonEmpty,
    notificationFaceURL: optional(string),
    url: optional(string),
    mixType: optional(oneOf(0, 1, 2, 3, 4, 5)),
    ex: optional(string),
  })],
]);

const contentType = oneOf(...CONTENTS.keys());

/** Checks `contentType` and the `content` that goes with it. */
function checkContent(message) {
  contentType(message.contentType, 'contentType');
  CONTENTS.get(message.contentType)(message.content, 'content');
}

module.exports = { checkContent };
