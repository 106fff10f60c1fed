import sdk from './index.js';

export const {
  OpenIM,
  DevServer,
  OpenIMError,
  isUnknownMessage,
  sdkVersion,
  ConnectionStatus,
  GroupAtType,
  LogLevel,
  LoginStatus,
  MessageFrom,
  MessageReceiveOptType,
  MessageStatus,
  MessageType,
  Platform,
  SessionType,
  SyncStatus,
  ViewType,
} = sdk;
