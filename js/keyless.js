// Generated from the Rust struct by `cargo xtask gen`; not to be edited.
'use strict';

/** The message of a list of values: in events they cross without their names, which takes a third of the time. */
function messageOf(values) {
  const message = {
    clientMsgID: values[0],
    serverMsgID: values[1],
    createTime: values[2],
    sendTime: values[3],
    sessionType: values[4],
    sendID: values[5],
    recvID: values[6],
    msgFrom: values[7],
    contentType: values[8],
    senderPlatformID: values[9],
    senderNickname: values[10],
    senderFaceUrl: values[11],
    groupID: values[12],
    seq: values[13],
    isRead: values[14],
    status: values[15],
    offlinePush: values[16],
    attachedInfo: values[17],
    attachedInfoElem: values[18] ?? { groupHasReadInfo: { hasReadUserIDList: [], hasReadCount: 0, groupMemberCount: 0 }, isPrivateChat: false, burnDuration: 0, hasReadTime: 0 },
    ex: values[19],
    localEx: values[20],
    sendError: values[21],
  };
  const element = values[22];
  for (const name in element) message[name] = element[name];
  return message;
}

module.exports = { messageOf };
