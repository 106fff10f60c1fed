// Generated from the error table by `cargo xtask gen`; not to be edited.
'use strict';

/** Name of a refusal by its number, and whether the same call can succeed later; others are `OPENIM_SERVER`. */
module.exports = {
  500: { code: 'OPENIM_SERVER_INTERNAL', retryable: true },
  1001: { code: 'OPENIM_SERVER_ARGS', retryable: false },
  1002: { code: 'OPENIM_NO_PERMISSION', retryable: false },
  1004: { code: 'OPENIM_RECORD_NOT_FOUND', retryable: false },
  1101: { code: 'OPENIM_RECORD_NOT_FOUND', retryable: false },
  1201: { code: 'OPENIM_RECORD_NOT_FOUND', retryable: false },
  1203: { code: 'OPENIM_NOT_IN_GROUP', retryable: false },
  1204: { code: 'OPENIM_GROUP_DISMISSED', retryable: false },
  1302: { code: 'OPENIM_BLOCKED_BY_PEER', retryable: false },
  1303: { code: 'OPENIM_NOT_PEERS_FRIEND', retryable: false },
  1402: { code: 'OPENIM_MUTED_IN_GROUP', retryable: false },
  1403: { code: 'OPENIM_MUTED_GROUP', retryable: false },
  1501: { code: 'OPENIM_TOKEN_EXPIRED', retryable: false },
  1502: { code: 'OPENIM_TOKEN_INVALID', retryable: false },
  1503: { code: 'OPENIM_TOKEN_INVALID', retryable: false },
  1504: { code: 'OPENIM_TOKEN_INVALID', retryable: false },
  1505: { code: 'OPENIM_TOKEN_INVALID', retryable: false },
  1506: { code: 'OPENIM_KICKED_OFFLINE', retryable: false },
  1507: { code: 'OPENIM_TOKEN_INVALID', retryable: false },
  1601: { code: 'OPENIM_TOO_MANY_CONNECTIONS', retryable: true },
};
