'use strict';

const { OpenIM, sdkVersion } = require('./js/client');
const { DevServer } = require('./js/dev-server');
const { OpenIMError } = require('./js/errors');
const { isUnknownMessage } = require('./js/message');
const {
  ConnectionStatus, GroupAtType, LoginStatus, MessageFrom, MessageReceiveOptType, MessageStatus, MessageType,
  Platform, SessionType, SyncStatus, ViewType,
} = require('./js/constants');

module.exports = {
  OpenIM,
  DevServer,
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
