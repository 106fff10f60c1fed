'use strict';

/** The numbers of OpenIM by name. */
const constants = {
  /** The kind of device that a login is for; a token is good for one of them. */
  Platform: {
    iOS: 1, Android: 2, Windows: 3, MacOSX: 4, Web: 5, MiniWeb: 6, Linux: 7, AndroidPad: 8, iPad: 9, Admin: 10,
    HarmonyOS: 11,
  },
  LoginStatus: { Logout: 1, Logging: 2, Logged: 3 },
  ConnectionStatus: { Disconnected: 'disconnected', Connecting: 'connecting', Connected: 'connected' },
  SyncStatus: { Idle: 'idle', Syncing: 'syncing', Synced: 'synced', Failed: 'failed' },
  SessionType: { Single: 1, Group: 3, Notification: 4 },
  MessageStatus: { Sending: 1, Succeed: 2, Failed: 3 },
  MessageFrom: { User: 100, System: 200 },
  MessageType: {
    TextMessage: 101, PictureMessage: 102, VoiceMessage: 103, VideoMessage: 104, FileMessage: 105, AtTextMessage: 106,
    MergeMessage: 107, CardMessage: 108, LocationMessage: 109, CustomMessage: 110, TypingMessage: 113,
    QuoteMessage: 114, FaceMessage: 115, AdvancedTextMessage: 117, MarkdownMessage: 118,
    CustomMessageNotTriggerConversation: 119, CustomMessageOnlineOnly: 120,
    FriendAdded: 1201, OANotification: 1400, GroupCreated: 1501, GroupInfoUpdated: 1502, MemberQuit: 1504,
    GroupOwnerTransferred: 1507, MemberKicked: 1508, MemberInvited: 1509, MemberEnter: 1510, GroupDismissed: 1511,
    GroupMemberMuted: 1512, GroupMemberCancelMuted: 1513, GroupMuted: 1514, GroupCancelMuted: 1515,
    GroupAnnouncementUpdated: 1519, GroupNameUpdated: 1520, BurnMessageChange: 1701, RevokeMessage: 2101,
  },
  MessageReceiveOptType: { Normal: 0, NotReceive: 1, NotNotify: 2 },
  GroupAtType: { AtNormal: 0, AtMe: 1, AtAll: 2, AtAllAtMe: 3, AtGroupNotice: 4 },
  ViewType: { History: 0, Search: 1 },
};

for (const table of Object.values(constants)) Object.freeze(table);

module.exports = Object.freeze(constants);
