import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from 'openim-node';
import { World, say, settled, textOf } from './support/world.mjs';

const COUNT = 500;
const TEXTS = Array.from({ length: COUNT }, (_, i) => `number ${i}`);

/** Two people with 500 messages between them, in turns. */
async function longChat(t) {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  for (let i = 0; i < COUNT; i += 50) {
    const [from, to] = (i / 50) % 2 === 0 ? [alice, bob] : [bob, alice];
    for (const text of TEXTS.slice(i, i + 50)) await say(from, to, text);
    await settled(from, to);
  }
  return { world, alice, bob, chat: world.chat('alice', 'bob') };
}

/** Every message of a chat, page by page, in the order of the chat; checks each page on the way. */
async function readAll(client, conversationID, count, direction) {
  const method = { older: 'getAdvancedHistoryMessageList', newer: 'getAdvancedHistoryMessageListReverse' }[direction];
  const all = [];
  for (let startClientMsgID = ''; ;) {
    const page = await client[method]({ conversationID, startClientMsgID, count });
    assert.equal(page.errCode, 0);
    assert.ok(page.messageList.length <= count);
    if (!page.isEnd) assert.equal(page.messageList.length, count, 'a page that is not the last one is full');
    if (direction === 'older') all.unshift(...page.messageList);
    else all.push(...page.messageList);
    if (page.isEnd) return all;
    startClientMsgID = page.messageList.at(direction === 'older' ? 0 : -1).clientMsgID;
    assert.ok(all.length <= 2 * COUNT, 'the pages come to an end');
  }
}

test('500 messages are read completely and in order, in both directions and in pages of any size', async (t) => {
  const { world, alice, bob, chat } = await longChat(t);
  for (const { client } of [alice, bob]) {
    for (const count of [1000, 100, 33]) {
      for (const direction of ['older', 'newer']) {
        const messages = await readAll(client, chat, count, direction);
        assert.deepEqual(messages.map(textOf), TEXTS, `${direction} in pages of ${count}`);
        assert.deepEqual(messages.map(({ seq }) => seq), TEXTS.map((_, i) => i + 1));
      }
    }
  }

  // a device that was not there: its first sync brings only the newest, the rest comes with the pages
  for (const direction of ['older', 'newer']) {
    const platformID = { older: Platform.Windows, newer: Platform.MacOSX }[direction];
    const device = await world.enter('bob', { platformID });
    device.recording.clear();
    const messages = await readAll(device.client, chat, 40, direction);
    assert.deepEqual(messages.map(textOf), TEXTS, `a new device reads ${direction} messages`);
    assert.deepEqual(await readAll(device.client, chat, 200, direction), messages, 'and then has them itself');
    assert.deepEqual(device.recording.names, [], 'what is filled in fires nothing');
  }
});

test('pages in the middle: around any message', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const sent = [];
  for (let i = 0; i < 9; i++) sent.push(await say(alice, bob, `${i}`));
  await settled(alice, bob);
  const anchor = { conversationID: world.chat('alice', 'bob'), startClientMsgID: sent[4].clientMsgID, count: 3 };
  const older = await bob.client.getAdvancedHistoryMessageList(anchor);
  assert.deepEqual(older.messageList.map(textOf), ['1', '2', '3']);
  assert.equal(older.isEnd, false);
  const newer = await bob.client.getAdvancedHistoryMessageListReverse(anchor);
  assert.deepEqual(newer.messageList.map(textOf), ['5', '6', '7']);
  assert.equal(newer.isEnd, false);
  const last = await bob.client.getAdvancedHistoryMessageListReverse({ ...anchor, count: 4 });
  assert.deepEqual([last.messageList.length, last.isEnd], [4, true]);
});

test('an unknown anchor, a senseless count: errors; an unknown conversation: an empty page', async (t) => {
  const world = await World.start(t);
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  await say(alice, bob, 'hello');
  const page = (change) => alice.client.getAdvancedHistoryMessageList({
    conversationID: world.chat('alice', 'bob'), startClientMsgID: '', count: 20, ...change,
  });
  await assert.rejects(page({ startClientMsgID: 'nobody knows it' }), { code: 'OPENIM_NOT_FOUND', errCode: 10200 });
  await assert.rejects(page({ count: 0 }), { code: 'OPENIM_ARGS', field: 'count' });
  await assert.rejects(page({ count: -1 }), { code: 'OPENIM_ARGS', field: 'count' });
  await assert.rejects(page({ conversationID: '' }), { code: 'OPENIM_ARGS', field: 'conversationID' });
  assert.deepEqual(await page({ conversationID: 'si_no_such' }), {
    messageList: [], isEnd: true, errCode: 0, errMsg: '',
  });
});

test('without a connection a page stops at the gap and says so', async (t) => {
  const world = await World.start(t);
  const dataDir = world.folder();
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  for (let i = 0; i < 60; i++) await say(alice, bob, `${i}`);
  const device = await world.enter('bob', { platformID: Platform.Windows, dataDir });
  await device.client.close();

  const offline = await world.open({
    dataDir, platformID: Platform.Windows, apiAddr: 'http://127.0.0.1:1', wsAddr: 'ws://127.0.0.1:1',
  });
  await offline.login({ userID: bob.id, token: device.token });
  const page = await offline.getAdvancedHistoryMessageList({
    conversationID: world.chat('alice', 'bob'), startClientMsgID: '', count: 60,
  });
  const texts = page.messageList.map(textOf);
  assert.ok(texts.length >= 1 && texts.length < 60);
  assert.deepEqual(texts, Array.from({ length: texts.length }, (_, i) => `${60 - texts.length + i}`));
  assert.equal(page.isEnd, false);
  assert.equal(page.errCode, 100);
  assert.notEqual(page.errMsg, '');
});
