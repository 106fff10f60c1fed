// Many accounts in one process, each with its database on disk: 50 here, 1,000 in the long form. What they cost stands in
// docs/performance.md; here: that they work, share threads, and leave nothing.
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { openFileLimit } from '../../bench/open-files.mjs';
import { Recording, until } from '../support/recording.mjs';
import { World, say, textOf } from '../support/world.mjs';

const ACCOUNTS = process.env.SOAK ? 1000 : 50;
/** Database, log, its index and lock, a reader's two, two connections, and some that are about to close. */
const FILES_PER_ACCOUNT = 10;
/** Four that write, 16 that open databases and read, some that ask for addresses; not one per account. */
const SHARED_THREADS = 30;

const hasProc = existsSync('/proc/self/task');
const tooFewFiles = openFileLimit() < ACCOUNTS * FILES_PER_ACCOUNT + 500 && `ulimit -n allows ${openFileLimit()} files`;

/** Threads and open files of this process, where the system tells. */
const counts = () => (hasProc
  ? { threads: readdirSync('/proc/self/task').length, files: readdirSync('/proc/self/fd').length }
  : { threads: 0, files: 0 });

test(`${ACCOUNTS} accounts in one process each get their message and leave nothing`, { skip: tooFewFiles }, async (t) => {
  // the server's threads and connections must not be in this process
  const world = await World.start(t, { apart: true });
  const names = Array.from({ length: ACCOUNTS }, (_, i) => `account${i}`);
  // asked for one after another and beforehand: connections of this process to the server's administration are not counted
  const people = [];
  for (const name of ['sender', ...names]) people.push({ id: world.id(name), token: await world.token(name) });
  const dataDir = world.folder();
  const before = counts();

  const enter = async ({ id, token }) => {
    const client = await world.open({ dataDir, cacheBudgetBytes: 8 * 2 ** 20 });
    const recording = new Recording(client);
    await client.login({ userID: id, token, waitUntil: 'synced' });
    return { client, recording, id };
  };
  const [sender, ...accounts] = await Promise.all(people.map(enter));
  // threads of a pool stay for seconds after their work: the most that there were are still here
  const { threads, files } = counts();
  assert.ok(threads - before.threads <= SHARED_THREADS, `${threads} threads, ${before.threads} before`);
  assert.ok(files - before.files <= (ACCOUNTS + 1) * FILES_PER_ACCOUNT, `${files} files, ${before.files} before`);

  await Promise.all(accounts.map((account) => say(sender, account, `for ${account.id}`)));
  await Promise.all(accounts.map(async ({ recording, id, client }) => {
    const messages = await recording.messages(1);
    assert.deepEqual(messages.map(textOf), [`for ${id}`]);
    assert.equal(await client.getTotalUnreadMsgCount(), 1);
  }));
  assert.ok(counts().threads - before.threads <= SHARED_THREADS, 'threads after the messages');

  await Promise.all([sender, ...accounts].map(({ client }) => client.close()));
  await until('files are closed', () => counts().files <= before.files);
});
