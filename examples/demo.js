#!/usr/bin/env node
'use strict';

// A day of alice and bob, told while it happens: real clients, a real server, real databases on disk. Everything that
// is told is also checked; the last line is `demo ok`, or the process ends with 1.

const assert = require('node:assert/strict');
const { mkdtempSync, rmSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { DevServer, LoginStatus, MessageStatus, OpenIM, Platform } = require('openim-node');

const PATIENCE_MS = 30_000;
const AWAY_MESSAGES = 500;
const CHAT = 'si_alice_bob';

const started = Date.now();
const say = (line = '') => console.log(line && `${String(Date.now() - started).padStart(6)} ms  ${line}`);
const act = (title) => console.log(`\n── ${title}`);

/** Resolves with the payload of the next event for which `where` holds. */
function hear(client, event, where = () => true) {
  return new Promise((resolve, reject) => {
    const settle = (outcome, value) => {
      clearTimeout(timer);
      client.off(event, listener);
      outcome(value);
    };
    const listener = (payload) => {
      if (where(payload)) settle(resolve, payload);
    };
    const timer = setTimeout(settle, PATIENCE_MS, reject, new Error(`${event} did not come within ${PATIENCE_MS} ms`));
    client.on(event, listener);
  });
}

/** Everything that the demo plays with; `end` puts it all away. */
class Stage {
  #folder = mkdtempSync(join(tmpdir(), 'openim-node-demo-'));
  #clients = new Set();

  async begin() {
    this.server = await DevServer.start({ dataDir: join(this.#folder, 'server') });
    await this.server.registerUsers([
      { userID: 'alice', nickname: 'Alice', faceURL: '' },
      { userID: 'bob', nickname: '鲍勃', faceURL: '' },
    ]);
  }

  /** Opens a device; its database is in a folder of its own, which later lives of the device find again. */
  async open(device, platformID) {
    const dataDir = join(this.#folder, device);
    const client = await OpenIM.open({ ...this.server.addresses, platformID, dataDir });
    this.#clients.add(client);
    return client;
  }

  async close(client) {
    await client.close();
    this.#clients.delete(client);
  }

  async end() {
    await Promise.all([...this.#clients].map((client) => client.close()));
    await this.server?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Sends a text; resolves with the message as the server accepted it. */
function send(client, recvID, text) {
  return client.sendMessage({ recvID, groupID: '', message: client.createTextMessage(text) });
}

/** Every message of the chat as a client has it, page by page. */
async function readChat(client) {
  const messages = [];
  for (let startClientMsgID = ''; ;) {
    const page = await client.getAdvancedHistoryMessageList({ conversationID: CHAT, startClientMsgID, count: 100 });
    assert.equal(page.errCode, 0, page.errMsg);
    messages.unshift(...page.messageList);
    if (page.isEnd) return messages;
    startClientMsgID = page.messageList[0].clientMsgID;
  }
}

/** What people wrote; a chat also has what the server says in it, such as that two are friends now. */
const texts = (messages) => messages.flatMap(({ textElem }) => (textElem ? [textElem.content] : []));

async function everybodyArrives(stage) {
  act('Everybody arrives');
  await stage.begin();
  const { apiAddr, wsAddr } = stage.server.addresses;
  say(`the server is ready: ${apiAddr}, ${wsAddr}`);
  const people = {};
  for (const [device, userID, platformID] of [
    ['desk', 'alice', Platform.Linux], ['phone', 'alice', Platform.Android], ['bob', 'bob', Platform.Linux],
  ]) {
    const client = await stage.open(device, platformID);
    client.on('error', (error) => { throw error; });
    const token = await stage.server.token(userID, platformID);
    await client.login({ userID, token, waitUntil: 'synced' });
    const { nickname } = await client.getSelfUserInfo();
    say(`${nickname} is online on ${device === 'bob' ? 'his computer' : `her ${device}`}`);
    people[device] = { client, token };
  }
  return people;
}

async function theyTalk({ desk, phone, bob }) {
  act('They talk');
  for (const [from, to, recvID, text] of [
    [desk, bob, 'bob', 'Good morning, Bob!'],
    [bob, desk, 'alice', '早上好，Alice。今天见面吗？'],
    [desk, bob, 'bob', '好啊！ ☕️ at ten?'],
    [bob, desk, 'alice', '👍🏽 完美 👨‍👩‍👧‍👦'],
  ]) {
    const isText = (messages) => texts(messages).includes(text);
    const arrives = hear(to.client, 'OnRecvNewMessages', isText);
    const arrivesOnPhone = hear(phone.client, 'OnRecvNewMessages', isText);
    const sent = await send(from.client, recvID, text);
    assert.equal(sent.status, MessageStatus.Succeed);
    const [received] = (await arrives).filter(({ clientMsgID }) => clientMsgID === sent.clientMsgID);
    await arrivesOnPhone;
    const isRead = hear(from.client, 'OnRecvC2CReadReceipt', ([{ msgIDList }]) => msgIDList.includes(sent.clientMsgID));
    await to.client.markConversationMessageAsRead(CHAT);
    await isRead;
    say(`${received.senderNickname}: ${text}  ✓✓`);
  }
  say("alice's phone has heard every word, her own included");
}

async function theyBecomeFriends({ desk, phone, bob }) {
  act('They become friends, and quarrel');
  const asked = hear(bob.client, 'OnFriendApplicationAdded');
  await desk.client.addFriend({ toUserID: 'bob', reqMsg: 'Shall we be friends?' });
  const { fromNickname, reqMsg } = await asked;
  say(`bob is asked by ${fromNickname}: "${reqMsg}"`);
  const added = Promise.all([desk, phone].map(({ client }) => hear(client, 'OnFriendAdded')));
  await bob.client.acceptFriendApplication({ toUserID: 'alice', handleMsg: '当然' });
  await added;
  say('bob accepts; both of alice\'s devices have a friend');

  const renamed = hear(phone.client, 'OnConversationChanged', ([chat]) => chat.showName === 'Bob the tea man');
  await desk.client.updateFriends({ friendUserIDs: ['bob'], remark: 'Bob the tea man', isPinned: true });
  const [{ showName }] = await renamed;
  say(`alice gives him a name of her own; her phone shows the chat as "${showName}"`);

  await desk.client.addBlack({ toUserID: 'bob' });
  await assert.rejects(send(bob.client, 'alice', 'You forgot the tea.'), { code: 'OPENIM_BLOCKED_BY_PEER' });
  say('alice blocks him: what bob writes is refused, and he is told so');
  await desk.client.removeBlack('bob');
  assert.deepEqual(await desk.client.getBlackList(), []);
  say('and takes it back');
  // what was refused stays with bob as failed, and the greeting of the new friends stands in the chat
  for (const { client } of [desk, bob]) await client.markConversationMessageAsRead(CHAT);
}

async function bobIsAway({ desk, bob }) {
  act(`Bob is away while ${AWAY_MESSAGES} messages arrive`);
  await bob.client.logout();
  assert.equal(bob.client.getLoginStatus(), LoginStatus.Logout);
  say('bob is gone');
  const before = Date.now();
  const sends = Array.from({ length: AWAY_MESSAGES }, (_, i) => send(desk.client, 'bob', `number ${i + 1}`));
  const sent = await Promise.all(sends);
  say(`alice sent ${sent.length} messages in ${Date.now() - before} ms`);

  await bob.client.login({ userID: 'bob', token: bob.token, waitUntil: 'synced' });
  const [chat] = await bob.client.getAllConversationList();
  assert.equal(chat.unreadCount, AWAY_MESSAGES);
  assert.equal(await bob.client.getTotalUnreadMsgCount(), AWAY_MESSAGES);
  const [last] = texts([chat.latestMsg]);
  say(`bob is back: ${chat.showName} wrote, ${chat.unreadCount} unread, the last one is "${last}"`);
  const messages = await readChat(bob.client);
  assert.deepEqual(texts(messages).slice(-AWAY_MESSAGES), texts(sent));
  assert.equal(new Set(messages.map(({ clientMsgID }) => clientMsgID)).size, 4 + AWAY_MESSAGES);
  say(`bob has caught up: ${messages.length} messages, none missing, none twice, in order`);
}

async function bobReads({ desk, bob }) {
  act('Bob reads, and alice sees it');
  const read = new Set();
  const receipts = hear(desk.client, 'OnRecvC2CReadReceipt', (list) => {
    for (const { userID, msgIDList } of list) if (userID === 'bob') msgIDList.forEach((id) => read.add(id));
    return read.size >= AWAY_MESSAGES;
  });
  await bob.client.markConversationMessageAsRead(CHAT);
  assert.equal(await bob.client.getTotalUnreadMsgCount(), 0);
  say('bob has read everything');
  await receipts;
  const own = (await readChat(desk.client)).filter(({ sendID }) => sendID === 'alice');
  assert.ok(own.every(({ isRead }) => isRead));
  say(`alice sees it: ${own.length} of her ${own.length} messages are read`);
}

async function theServerFails(stage, { desk, phone, bob }) {
  act('The server fails in the middle of it');
  const devices = [desk, phone, bob].map(({ client }) => client);
  const connecting = devices.map((client) => hear(client, 'OnConnecting'));
  await stage.server.stop();
  await Promise.all(connecting);
  say('the server is gone; all three clients are trying to come back');

  let copies = 0;
  bob.client.on('OnRecvNewMessage', ({ textElem }) => { if (textElem?.content === 'Are you there?') copies += 1; });
  const isQuestion = ([chat]) => texts([chat.latestMsg])[0] === 'Are you there?';
  const queued = hear(desk.client, 'OnConversationChanged', isQuestion);
  const sending = send(desk.client, 'bob', 'Are you there?');
  const [{ latestMsg }] = await queued;
  assert.equal(latestMsg.status, MessageStatus.Sending);
  say(`alice writes "${latestMsg.textElem.content}": stored, waiting for the server`);

  const synced = devices.map((client) => hear(client, 'OnSyncServerFinish'));
  const arrives = hear(bob.client, 'OnRecvNewMessages', (messages) => texts(messages).includes('Are you there?'));
  await stage.server.restart();
  say('the server is started again on the same folder and ports');
  await Promise.all(synced);
  say('all three clients have come back by themselves');
  await arrives;
  const sent = await sending;
  assert.equal(sent.status, MessageStatus.Succeed);
  say(`bob reads "${sent.textElem.content}"`);
  const answered = hear(desk.client, 'OnRecvNewMessages', (messages) => texts(messages).includes('Always.'));
  await send(bob.client, 'alice', 'Always.');
  await answered;
  assert.equal(copies, 1, 'delivered exactly once');
  const stored = texts(await readChat(bob.client)).filter((text) => text === 'Are you there?');
  assert.equal(stored.length, 1, 'stored exactly once');
  say('it was delivered exactly once; bob: Always.');
}

async function bobReadsOffline(stage, { bob }) {
  act('Bob restarts his client where there is no network');
  const before = await readChat(bob.client);
  await stage.close(bob.client);
  await stage.server.stop();
  const client = await stage.open('bob', Platform.Linux);
  await client.login({ userID: 'bob', token: bob.token });
  assert.notEqual(client.getConnectionStatus(), 'connected');
  const messages = await readChat(client);
  // the seq of a message that was just sent may come a moment after its acknowledgement
  const identity = ({ clientMsgID, sendTime, status }) => [clientMsgID, sendTime, status];
  assert.deepEqual(messages.map(identity), before.map(identity));
  say(`his own database has all ${messages.length} messages; the last one is "${texts(messages).at(-1)}"`);
}

async function main() {
  const stage = new Stage();
  try {
    const people = await everybodyArrives(stage);
    await theyTalk(people);
    await bobIsAway(people);
    await bobReads(people);
    await theyBecomeFriends(people);
    await theServerFails(stage, people);
    await bobReadsOffline(stage, people);
  } finally {
    await stage.end();
  }
  console.log('\ndemo ok');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
