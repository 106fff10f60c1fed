// What back-ends write must compile, and mistakes must not. Compiled by types.spec.mjs, never run.
import { OpenIMError as RootError } from 'openim-node';
import {
  Admin,
  MessageType,
  OpenIMError,
  Platform,
  type AdminConfig,
  type BatchSendResult,
  type SendMessageParams,
  type SentMessage,
  type UserInfo,
} from 'openim-node/admin';

/** Exact equality of two types: `any` on either side is a difference. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
declare function expectType<Expected>(): <Actual>(value: Actual, same: Same<Actual, Expected>) => void;

export async function backEnd(signal: AbortSignal): Promise<void> {
  const admin = await Admin.open({ apiAddr: 'http://127.0.0.1:10002', secret: 's' }, { signal });
  expectType<string>()(await admin.getAdminToken(), true);
  await admin.registerUsers([{ userID: 'alice', nickname: 'Alice' }, { userID: 'bob', nickname: 'Bob', ex: '{}' }]);
  const { token, expireTimeSeconds } = await admin.getUserToken({ userID: 'alice', platformID: Platform.Linux });
  expectType<number>()(expireTimeSeconds, true);
  expectType<Platform>()((await admin.parseToken(token)).platformID, true);
  await admin.forceLogout({ userID: 'alice', platformID: Platform.Web }, { operationID: 'op', signal });

  expectType<UserInfo[]>()(await admin.getUsersInfo(['alice']), true);
  const page = { pageNumber: 1, showNumber: 100 };
  expectType<{ total: number; users: UserInfo[] }>()(await admin.getUsers({ ...page, nickname: 'Al' }), true);
  expectType<string[]>()((await admin.getAllUserIDs(page)).userIDs, true);
  expectType<0 | 1 | undefined>()((await admin.accountCheck(['alice']))[0]?.accountStatus, true);
  const [status] = await admin.getUsersOnlineStatus(['alice']);
  expectType<Platform[] | undefined>()(status?.detailPlatformStatus.map(({ platformID }) => platformID), true);

  await admin.importFriends({ ownerUserID: 'alice', friendUserIDs: ['bob'] });
  expectType<string[]>()(await admin.getFriendIDs('alice'), true);
  expectType<{ inUser1Friends: boolean; inUser2Friends: boolean }>()(
    await admin.isFriend({ userID1: 'alice', userID2: 'bob' }), true,
  );
  await admin.addBlack({ ownerUserID: 'alice', blackUserID: 'bob', ex: 'spam' });
  await admin.removeBlack({ ownerUserID: 'alice', blackUserID: 'bob' }, { signal });
  await admin.deleteFriend({ ownerUserID: 'alice', friendUserID: 'bob' });

  const text = { contentType: MessageType.TextMessage, content: { content: 'hello' } };
  const sent = await admin.sendMessage({ sendID: 'alice', recvID: 'bob', ...text });
  expectType<SentMessage>()(sent, true);
  const batch = await admin.batchSendMessage({ sendID: 'alice', recvIDs: ['bob'], ...text });
  expectType<BatchSendResult>()(batch, true);
  expectType<0 | 1 | 2 | 3>()(await admin.getSendStatus('op'), true);
  await admin.sendMessage({
    sendID: 'notice', recvID: 'bob', contentType: MessageType.OANotification,
    content: { notificationName: 'News', notificationType: 1, text: 'tonight' },
  });
  await admin.sendBusinessNotification({ sendUserID: 'a', recvUserID: 'b', key: 'k', data: 'd', reliabilityLevel: 2 });
  expectType<Record<string, string>>()(await admin.getUserClientConfig(''), true);
  expectType<number>()(await admin.getServerTime({ signal }), true);
  expectType<unknown>()(await admin.post('/group/get_groups', { pagination: page }), true);
  const { total } = await admin.post<{ total: number }>('/group/get_groups', { pagination: page }, { signal });
  expectType<number>()(total, true);
}

/** One class of errors, from wherever it is imported. */
export function failures(error: unknown): RootError {
  if (!(error instanceof OpenIMError)) throw error;
  expectType<string | undefined>()(error.errDlt, true);
  return error;
}

export async function mistakes(admin: Admin): Promise<void> {
  // @ts-expect-error an admin is made by open
  new Admin();
  // @ts-expect-error the secret is missing
  await Admin.open({ apiAddr: 'http://a' });
  // @ts-expect-error an optional field is left out, not undefined
  const config: AdminConfig = { apiAddr: 'http://a', secret: 's', timeout: undefined };
  // @ts-expect-error the administrator's platform is no device
  await admin.getUserToken({ userID: 'a', platformID: Platform.Admin });
  // @ts-expect-error the nickname is missing
  await admin.registerUsers([{ userID: 'a' }]);
  // @ts-expect-error ids, not one id
  await admin.getUsersInfo('alice');
  // @ts-expect-error the page is missing
  await admin.getUsers({ nickname: 'A' });
  // @ts-expect-error a text has no source
  const message: SendMessageParams = { sendID: 'a', recvID: 'b', contentType: 101, content: { sourceUrl: 's' } };
  // @ts-expect-error the API does not take this kind
  const typing: SendMessageParams = { sendID: 'a', recvID: 'b', contentType: 113, content: { msgTips: 'yes' } };
  // @ts-expect-error the file's size is missing
  await admin.sendMessage({ sendID: 'a', recvID: 'b', contentType: 105, content: { sourceUrl: 's', fileName: 'n' } });
  // @ts-expect-error data is text
  await admin.sendBusinessNotification({ sendUserID: 'a', recvUserID: 'b', key: 'k', data: { a: 1 } });
  // @ts-expect-error its trace id is the id that is asked for
  await admin.getSendStatus('op', { operationID: 'other' });
  void [config, message, typing];
}
