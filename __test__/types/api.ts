// What users write must compile, and mistakes must not. Compiled by types.spec.mjs, never run.
import { on, once } from 'node:events';
import {
  DevServer,
  LoginStatus,
  MessageType,
  OpenIM,
  OpenIMError,
  Platform,
  SessionType,
  TypedEmitter,
  isUnknownMessage,
  type ConversationItem,
  type Fault,
  type Faults,
  type MessageEvents,
  type MessageItem,
  type OpenIMConfig,
} from 'openim-node';

/** Exact equality of two types: `any` on either side is a difference. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;
declare function expectType<Expected>(): <Actual>(value: Actual, same: Same<Actual, Expected>) => void;

export async function logs(): Promise<void> {
  await OpenIM.configureLogs({
    logLevel: 'debug',
    logDir: './logs',
    onLog: ({ level, userID, fields }) => {
      expectType<'error' | 'warn' | 'info' | 'debug' | 'trace'>()(level, true);
      expectType<string>()(userID, true);
    },
  });
  expectType<string>()(await OpenIM.exportLogs(), true);
  // @ts-expect-error a level by its name
  await OpenIM.configureLogs({ logLevel: 5 });
}

export async function session(): Promise<void> {
  const server = await DevServer.start({ apiPort: 0, multiLogin: { policy: 5 }, maxConnections: 10 });
  // @ts-expect-error there is no policy 2
  await DevServer.start({ multiLogin: { policy: 2 } });
  await server.registerUsers([{ userID: 'alice', nickname: 'Alice' }]);
  const token = await server.token('alice', Platform.Linux);
  expectType<string>()(token, true);

  // @ts-expect-error a number of bytes
  await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: './data', cacheBudgetBytes: '64MB' });
  const client = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: ':memory:' });
  await client.login({ userID: 'alice', token, waitUntil: 'synced' });
  await client.login({ userID: 'alice', token }, { signal: AbortSignal.timeout(1000), operationID: 'op' });

  const message = client.createTextMessage('hello');
  expectType<string>()(message.textElem.content, true);
  const sent = await client.sendMessage({ recvID: 'bob', groupID: '', message });
  expectType<MessageItem>()(sent, true);
  await client.sendMessage({ groupID: 'g', message: sent, offlinePushInfo: { title: 'New' } });

  const page = await client.getAdvancedHistoryMessageList({ conversationID: 'si_alice_bob', count: 20 });
  expectType<MessageItem[]>()(page.messageList, true);
  expectType<boolean>()(page.isEnd, true);

  const conversation = await client.getOneConversation({ sourceID: 'bob', sessionType: SessionType.Single });
  expectType<ConversationItem>()(conversation, true);
  expectType<MessageItem | null>()(conversation.latestMsg, true);
  expectType<string>()(client.getConversationIDBySessionType({ sourceID: 'bob', sessionType: 1 }), true);
  expectType<number>()(await client.getTotalUnreadMsgCount(), true);
  expectType<'disconnected' | 'connecting' | 'connected'>()(client.getConnectionStatus(), true);
  if (client.getLoginStatus() === LoginStatus.Logged) client.unref().ref();

  await client.close();
  await server.stop();
}

export async function faults(server: DevServer): Promise<void> {
  const { faults } = server;
  expectType<Faults>()(faults, true);
  const fault = faults.dropPushes({ to: 'alice', platformID: Platform.Web, count: 3 });
  expectType<Fault>()(fault, true);
  expectType<boolean>()(await fault.acted(), true);
  faults.refuseRequests({ operation: 1003, userID: 'alice', code: 1302, count: 1 });
  faults.delayStore(200, { userID: 'alice', count: 1 }).clear();
  expectType<number>()(faults.kick({ userID: 'alice' }), true);
  faults.sendFrame({ userID: 'alice', binary: new Uint8Array(3) });
  faults.sendFrame({ malformed: 'oversized', bytes: 2_000_000 });
  expectType<Fault[]>()(faults.pending(), true);
  // @ts-expect-error an oversized frame has a size
  faults.sendFrame({ malformed: 'oversized' });
  // @ts-expect-error a push has a receiver, not a user
  faults.dropPushes({ userID: 'alice' });
  // @ts-expect-error a delay has a length
  faults.delayPushes({ to: 'alice' });
}

export function events(client: OpenIM): void {
  expectType<TypedEmitter<MessageEvents>>()(client.message, true);
  client.on('OnRecvNewMessages', (messages) => expectType<MessageItem[]>()(messages, true));
  client.message.once('OnRecvNewMessage', (message) => expectType<MessageItem>()(message, true));
  client.conversation.on('OnSyncServerFinish', (firstTime) => expectType<boolean>()(firstTime, true));
  client.connection.on('OnConnecting', () => {});
  client.connection.on('OnConnectFailed', ({ errCode }) => expectType<number>()(errCode, true));
  client.on('OnEventsDropped', ({ count }) => expectType<number>()(count, true));
  client.friendship.on('error', (error) => expectType<unknown>()(error, true));
  client.on('OnNewConversation', async (conversations) => { await Promise.all(conversations); });
}

export async function waiting(client: OpenIM, signal: AbortSignal): Promise<void> {
  await once(client, 'OnSyncServerFinish');
  for await (const batch of on(client.message, 'OnRecvNewMessages', { signal })) void batch;
}

/** A message narrows by its content type. */
export function text(message: MessageItem): string {
  if (isUnknownMessage(message)) return message.content;
  switch (message.contentType) {
    case MessageType.TextMessage:
      return message.textElem.content;
    case MessageType.PictureMessage:
      return message.pictureElem.sourcePicture.url;
    case MessageType.CustomMessage:
      return message.customElem.data;
    default:
      return message.clientMsgID;
  }
}

export function failures(error: unknown): string {
  if (!(error instanceof OpenIMError)) throw error;
  expectType<number>()(error.errCode, true);
  expectType<string | undefined>()(error.field, true);
  return OpenIMError.from(error.toJSON()).code;
}

export async function mistakes(client: OpenIM, message: MessageItem): Promise<void> {
  // @ts-expect-error a client is made by open
  new OpenIM();
  // @ts-expect-error a server is made by start
  new DevServer();
  // @ts-expect-error emitters come with a client; their class is a type alone
  TypedEmitter;
  // @ts-expect-error the addresses are missing
  await OpenIM.open({ platformID: Platform.Linux, dataDir: 'd' });
  // @ts-expect-error the platform is a number
  await OpenIM.open({ apiAddr: 'a', wsAddr: 'w', platformID: 'Linux', dataDir: 'd' });
  // @ts-expect-error there is no platform 12
  const platform: Platform = 12;
  // @ts-expect-error an optional field is left out, not undefined
  const config: OpenIMConfig = { apiAddr: 'a', wsAddr: 'w', platformID: 7, dataDir: 'd', compression: undefined };
  // @ts-expect-error unknown encoding
  await OpenIM.open({ apiAddr: 'a', wsAddr: 'w', platformID: 7, dataDir: 'd', wireFormat: 'xml' });
  // @ts-expect-error unknown waitUntil
  await client.login({ userID: 'alice', token: 't', waitUntil: 'done' });
  // @ts-expect-error the token is missing
  await client.login({ userID: 'alice' });
  // @ts-expect-error the message is not a text
  await client.sendMessage({ recvID: 'bob', message: 'hello' });
  // @ts-expect-error ids, not one id
  await client.getUsersInfo('bob');
  // @ts-expect-error misspelt event
  client.on('OnRecvNewMesages', () => {});
  // @ts-expect-error an event of another emitter
  client.connection.on('OnRecvNewMessages', () => {});
  // @ts-expect-error the listener's parameter is a list
  client.on('OnRecvNewMessages', (received: string) => received);
  // @ts-expect-error the element depends on the content type
  message.textElem;
  // @ts-expect-error constants cannot be changed
  Platform.Linux = 8;
  void [platform, config];
}
