import sdk from './index.js';

export const {
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
} = sdk;
