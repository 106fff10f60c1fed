'use strict';

const { OpenIM, sdkVersion } = require('./js/client');
const { OpenIMError } = require('./js/errors');
const { isUnknownMessage } = require('./js/message');
const {
  ConnectionStatus, GroupAtType, LoginStatus, MessageFrom, MessageReceiveOptType, MessageStatus, MessageType,
  Platform, SessionType, SyncStatus, ViewType,
} = require('./js/constants');

module.exports = {
  OpenIM,
  /** Loaded when first asked for: most applications have a server elsewhere. */
  get DevServer() {
    const { DevServer: value } = require('./js/dev-server');
    Object.defineProperty(module.exports, 'DevServer', { value, enumerable: true });
    return value;
  },
  OpenIMError,
  isUnknownMessage,
  sdkVersion,
  ConnectionStatus,
  GroupAtType,
  LoginStatus,
  MessageFrom,
  MessageReceiveOptType,
  MessageStatus,
  MessageType,
  Platform,
  SessionType,
  SyncStatus,
  ViewType,
};
