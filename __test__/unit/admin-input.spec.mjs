// What each method of an administrator refuses before anything is asked, and the field that it names.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admin, MessageType } from 'openim-node/admin';
import methods from '../../admin/methods.js';
import { startStub, success } from '../support/stub-api.mjs';

const TEXT = { sendID: 'alice', recvID: 'bob', contentType: 101, content: { content: 'x' } };
const SIZE = { type: 'image/png', width: 1, height: 1, url: 'https://a' };
const BUSINESS = { sendUserID: 'alice', recvUserID: 'bob', key: 'k', data: 'd' };
const PAGE = { pageNumber: 1, showNumber: 1 };
const { recvID, ...TO_MANY } = { ...TEXT, recvIDs: ['bob'] };

/** By method: the field that is named, and the parameter. */
const WRONG = {
  getUserToken: [
    ['params', undefined],
    ['userID', { userID: '', platformID: 7 }],
    ['platformID', { userID: 'a' }],
    ['platformID', { userID: 'a', platformID: 10 }],
    ['platformID', { userID: 'a', platformID: '7' }],
  ],
  parseToken: [['token', undefined], ['token', ''], ['token', {}]],
  forceLogout: [['userID', { platformID: 7 }], ['platformID', { userID: 'a', platformID: 12 }]],
  registerUsers: [
    ['users', { userID: 'a', nickname: 'A' }],
    ['users[0]', ['a']],
    ['users[1].userID', [{ userID: 'a', nickname: 'A' }, { nickname: 'B' }]],
    ['users[0].nickname', [{ userID: 'a', nickname: '' }]],
    ['users[0].faceURL', [{ userID: 'a', nickname: 'A', faceURL: null }]],
    ['users[0].globalRecvMsgOpt', [{ userID: 'a', nickname: 'A', globalRecvMsgOpt: 3 }]],
  ],
  updateUserInfo: [['userID', { nickname: 'A' }], ['ex', { userID: 'a', ex: {} }]],
  getUsersInfo: [['userIDs', 'alice'], ['userIDs[1]', ['a', 7]]],
  getUsers: [['pageNumber', {}], ['showNumber', { ...PAGE, showNumber: 0 }], ['nickname', { ...PAGE, nickname: 7 }]],
  getAllUserIDs: [['pageNumber', { ...PAGE, pageNumber: 0 }], ['showNumber', { ...PAGE, showNumber: 1.5 }]],
  accountCheck: [['checkUserIDs', undefined], ['checkUserIDs[0]', ['']]],
  getUsersOnlineStatus: [['userIDs', undefined], ['userIDs[0]', [null]]],
  addNotificationAccount: [
    ['nickname', { userID: 'n' }],
    ['userID', { userID: 7, nickname: 'N' }],
    ['appMangerLevel', { nickname: 'N', appMangerLevel: 2 }],
  ],
  updateNotificationAccount: [['userID', { nickname: 'N' }], ['faceURL', { userID: 'n', faceURL: 7 }]],
  searchNotificationAccounts: [['keyword', { ...PAGE, keyword: 7 }], ['pageNumber', { keyword: '' }]],
  getUserClientConfig: [['userID', undefined]],
  setUserClientConfig: [
    ['userID', { configs: {} }], ['configs', { userID: '' }], ['configs.k', { userID: '', configs: { k: 1 } }],
  ],
  deleteUserClientConfig: [
    ['userID', { keys: ['k'] }], ['keys', { userID: '' }], ['keys[0]', { userID: '', keys: [''] }],
  ],
  sendMessage: [
    ['params', 'hello'],
    ['sendID', { ...TEXT, sendID: '' }],
    ['recvID', { ...TEXT, recvID: undefined }],
    ['recvID', { ...TEXT, groupID: 'g' }],
    ['groupID', { ...TEXT, recvID: '', groupID: 7 }],
    ['contentType', { ...TEXT, contentType: 107 }],
    ['content', { ...TEXT, content: 'hello' }],
    ['senderPlatformID', { ...TEXT, senderPlatformID: 10 }],
    ['isOnlineOnly', { ...TEXT, isOnlineOnly: 1 }],
    ['sendTime', { ...TEXT, sendTime: '0' }],
    ['offlinePushInfo', { ...TEXT, offlinePushInfo: 'title' }],
    ['groupID', {
      ...TEXT, recvID: '', groupID: 'g', contentType: 1400,
      content: { notificationName: 'n', notificationType: 1, text: 't' },
    }],
  ],
  batchSendMessage: [
    ['recvIDs', { ...TO_MANY, recvIDs: undefined }],
    ['recvIDs', { ...TO_MANY, recvIDs: [] }],
    ['recvIDs[0]', { ...TO_MANY, recvIDs: [7] }],
    ['recvIDs', { ...TO_MANY, isSendAll: true, recvIDs: 'all' }],
    ['isSendAll', { ...TO_MANY, isSendAll: 'yes' }],
    ['content.content', { ...TO_MANY, content: {} }],
  ],
  sendBusinessNotification: [
    ['sendUserID', { ...BUSINESS, sendUserID: undefined }],
    ['recvUserID', { ...BUSINESS, recvUserID: '' }],
    ['recvUserID', { ...BUSINESS, recvGroupID: 'g' }],
    ['key', { ...BUSINESS, key: '' }],
    ['data', { ...BUSINESS, data: { a: 1 } }],
    ['sendMsg', { ...BUSINESS, sendMsg: 'yes' }],
    ['reliabilityLevel', { ...BUSINESS, reliabilityLevel: 0 }],
  ],
  getSendStatus: [['operationID', undefined], ['operationID', '']],
  importFriends: [
    ['ownerUserID', { ownerUserID: '', friendUserIDs: ['b'] }],
    ['friendUserIDs', { ownerUserID: 'a', friendUserIDs: 'b' }],
    ['friendUserIDs[1]', { ownerUserID: 'a', friendUserIDs: ['b', ''] }],
  ],
  deleteFriend: [['ownerUserID', { friendUserID: 'b' }], ['friendUserID', { ownerUserID: 'a', friendUserID: 7 }]],
  getFriendIDs: [['userID', undefined], ['userID', '']],
  isFriend: [['userID1', { userID2: 'b' }], ['userID2', { userID1: 'a', userID2: '' }]],
  addBlack: [
    ['ownerUserID', { blackUserID: 'b' }],
    ['blackUserID', { ownerUserID: 'a', blackUserID: '' }],
    ['ex', { ownerUserID: 'a', blackUserID: 'b', ex: 1 }],
  ],
  removeBlack: [['ownerUserID', { blackUserID: 'b' }], ['blackUserID', { ownerUserID: 'a' }]],
};

/** Contents that lack something, by the type that they were made for. */
const WRONG_CONTENTS = [
  [MessageType.TextMessage, 'content.content', { content: '' }],
  [MessageType.PictureMessage, 'content.bigPicture', { sourcePicture: SIZE, snapshotPicture: SIZE }],
  [MessageType.PictureMessage, 'content.snapshotPicture.width', {
    sourcePicture: SIZE, bigPicture: SIZE, snapshotPicture: { ...SIZE, width: 0 },
  }],
  [MessageType.VoiceMessage, 'content.duration', { sourceUrl: 'https://a', duration: 0 }],
  [MessageType.VideoMessage, 'content.videoUrl', {}],
  [MessageType.FileMessage, 'content.fileSize', { sourceUrl: 'https://a', fileName: 'a' }],
  [MessageType.AtTextMessage, 'content.atUserList', { text: '@bob' }],
  [MessageType.CustomMessage, 'content.data', { data: { a: 1 } }],
  [MessageType.QuoteMessage, 'content.quoteMessage', { text: 't', quoteMessage: 'q' }],
  [MessageType.MarkdownMessage, 'content.content', {}],
  [MessageType.OANotification, 'content.notificationType', { notificationName: 'n', notificationType: 0, text: 't' }],
  [MessageType.OANotification, 'content.mixType', {
    notificationName: 'n', notificationType: 1, text: 't', mixType: 6,
  }],
];

async function stubAndAdmin(t) {
  const stub = await startStub(t, () => success({ token: 't', expireTimeSeconds: 1000 }));
  return { stub, admin: await Admin.open({ apiAddr: stub.apiAddr, secret: 's' }) };
}

for (const [method, cases] of Object.entries(WRONG)) {
  test(`${method} names what is wrong and asks nothing`, async (t) => {
    const { stub, admin } = await stubAndAdmin(t);
    for (const [field, params] of cases) {
      const text = JSON.stringify(params);
      await assert.rejects(admin[method](params), { code: 'OPENIM_ARGS', errCode: 10002, field }, text);
    }
    assert.deepEqual(stub.requests, []);
  });
}

test('no method is left out', () => {
  const withParameter = Object.entries(methods.METHODS).filter(([, { check }]) => check !== null).map(([name]) => name);
  assert.deepEqual(Object.keys(WRONG).sort(), [...withParameter, 'getSendStatus'].sort());
});

test('a content that does not fit its type is refused by the name of the member', async (t) => {
  const { stub, admin } = await stubAndAdmin(t);
  for (const [contentType, field, content] of WRONG_CONTENTS) {
    const refused = { code: 'OPENIM_ARGS', field };
    await assert.rejects(admin.sendMessage({ ...TEXT, contentType, content }), refused, field);
    await assert.rejects(admin.batchSendMessage({ ...TO_MANY, contentType, content }), refused, field);
  }
  assert.deepEqual(stub.requests, []);
});

test('options are checked wherever they stand', async (t) => {
  const { stub, admin } = await stubAndAdmin(t);
  for (const call of [
    () => admin.getServerTime({ signal: 'now' }),
    () => admin.getAdminToken({ signal: 'now' }),
    () => admin.getUsersInfo(['a'], { signal: 'now' }),
    () => admin.post('/any', {}, { signal: 'now' }),
    () => admin.getSendStatus('op', { signal: 'now' }),
  ]) await assert.rejects(call(), { code: 'OPENIM_ARGS', field: 'options.signal' });
  await assert.rejects(admin.getServerTime(null), { code: 'OPENIM_ARGS', field: 'options' });
  assert.deepEqual(stub.requests, []);
});

test('the kind of conversation follows from the receiver and the kind of message', async (t) => {
  const { stub, admin } = await stubAndAdmin(t);
  const oa = { contentType: 1400, content: { notificationName: 'n', notificationType: 1, text: 't' } };
  await admin.sendMessage(TEXT);
  await admin.sendMessage({ ...TEXT, recvID: '', groupID: 'g' });
  await admin.sendMessage({ ...TEXT, ...oa });
  await admin.batchSendMessage(TO_MANY);
  await admin.batchSendMessage({ ...TO_MANY, ...oa });
  const sent = stub.requests.filter(({ path }) => path.startsWith('/msg/'));
  assert.deepEqual(sent.map(({ body }) => body.sessionType), [1, 3, 4, 1, 4]);
});
