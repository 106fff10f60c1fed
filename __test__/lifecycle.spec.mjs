import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { OpenIM, Platform } from 'openim-node';
import { Recording, until } from './support/recording.mjs';
import { needsOwnServer } from './support/servers.mjs';
import { World, say } from './support/world.mjs';

const LONG = process.env.SOAK === '1';
const CYCLES = LONG ? 200 : 20;
/** Threads and handles that are made once per process exist after so many cycles. */
const WARM = 5;

/** Connections of the REST client that nobody uses are kept for 30 s, and looked at as often. */
const IDLE_MS = 70_000;

/** From here on memory is watched (long form only): pools and caches have reached their size. */
const SETTLED = 50;
/**
 * What resident memory may grow by per cycle: well below the smallest thing a leaked session would keep (a connection's
 * read buffer of 64 kB, a statement cache, a page cache), and above what the allocator's arenas wander by.
 */
const MAX_BYTES_PER_CYCLE = 48 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

function residentAfterCollection() {
  collect();
  return process.memoryUsage.rss();
}

/** Slope of the line through points by least squares. */
function slope(points) {
  const mean = (at) => points.reduce((sum, point) => sum + point[at], 0) / points.length;
  const [x0, y0] = [mean(0), mean(1)];
  const over = points.reduce((sum, [x, y]) => sum + (x - x0) * (y - y0), 0);
  return over / points.reduce((sum, [x]) => sum + (x - x0) ** 2, 0);
}

const file = (name) => fileURLToPath(new URL(`./support/${name}`, import.meta.url));
const noProc = existsSync('/proc/self/task') ? false : 'needs /proc';

/** Threads and open files of this process. */
const counts = () => ({
  threads: readdirSync('/proc/self/task').length,
  files: readdirSync('/proc/self/fd').length,
});

/**
 * Lives many times and then expects no more threads and files than there were while it was warming up. They may need a
 * moment: a pool keeps idle threads for a while, and the server notices the end of a connection after the client.
 */
async function leavesNothingBehind(live) {
  const warm = { threads: 0, files: 0 };
  const memory = [];
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    await live(cycle);
    const now = counts();
    if (cycle > SETTLED) memory.push([cycle, residentAfterCollection()]);
    if (cycle <= WARM) for (const what of Object.keys(warm)) warm[what] = Math.max(warm[what], now[what]);
  }
  await until(`no more than ${JSON.stringify(warm)} is left`, () => {
    const now = counts();
    return now.threads <= warm.threads && now.files <= warm.files;
  }, IDLE_MS);
  if (memory.length > 0) {
    const growth = slope(memory);
    assert.ok(growth < MAX_BYTES_PER_CYCLE, `grows by ${Math.round(growth)} bytes a cycle`);
  }
}

test(`${CYCLES} lives of a client leave no thread and no file behind`, { skip: noProc }, async (t) => {
  const world = await World.start(t);
  const bob = await world.enter('bob');
  const alice = { id: world.id('alice') };
  const login = { userID: alice.id, token: await world.token('alice'), waitUntil: 'synced' };
  const dataDir = world.folder();
  await leavesNothingBehind(async (cycle) => {
    const client = await OpenIM.open({ ...world.server.addresses, platformID: Platform.Linux, dataDir });
    const recording = new Recording(client, ['OnRecvNewMessages']);
    await client.login(login);
    await say(bob, alice, `cycle ${cycle}`);
    await recording.messages(1);
    if (cycle % 2 === 0) await client.logout();
    await client.close();
  });
});

test(`${CYCLES} logins and logouts of one client leave nothing behind`, { skip: noProc }, async (t) => {
  const world = await World.start(t);
  const client = await world.open({ dataDir: world.folder() });
  const login = { userID: world.id('alice'), token: await world.token('alice'), waitUntil: 'connected' };
  await leavesNothingBehind(async () => {
    await client.login(login);
    await client.logout();
  });
});

/** Runs a life in a process of its own and returns what it printed and how it ended. */
async function liveAndEnd(t, how) {
  const child = spawn(process.execPath, [file('in-a-process.mjs'), how], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => { printed += data; });
  return { child, printed: () => printed };
}

for (const how of ['close', 'stop the server first', 'unref', 'exit', 'exit while sending']) {
  test(`a process ends by itself: ${how}`, { skip: needsOwnServer }, async (t) => {
    const { child, printed } = await liveAndEnd(t, how);
    assert.deepEqual(await once(child, 'close'), [0, null], printed());
    assert.equal(printed(), 'lived\n');
  });
}

test('an open client keeps the process alive', { skip: needsOwnServer }, async (t) => {
  const { child, printed } = await liveAndEnd(t, 'forget both');
  await until('the process has lived', () => printed() === 'lived\n');
  // what would let it end has had its chance once a second process came and went
  const other = await liveAndEnd(t, 'close');
  await once(other.child, 'close');
  assert.equal(child.exitCode, null);
  child.kill();
  assert.deepEqual(await once(child, 'close'), [null, 'SIGTERM']);
});

async function startWorker(t, world, name, flood) {
  const worker = new Worker(file('in-a-worker.mjs'), {
    workerData: { addresses: world.server.addresses, userID: world.id(name), token: await world.token(name), flood },
  });
  t.after(() => worker.terminate());
  return worker;
}

test('a client lives in a worker thread, which ends by itself', async (t) => {
  const world = await World.start(t);
  const worker = await startWorker(t, world, 'alice', false);
  const ended = once(worker, 'exit');
  const [{ status }] = await once(worker, 'message');
  assert.equal(status, 2);
  assert.deepEqual(await ended, [0]);
});

test('workers that are terminated in mid-flood take their clients with them', async (t) => {
  const world = await World.start(t);
  const workers = await Promise.all(
    Array.from({ length: LONG ? 20 : 4 }, (_, i) => startWorker(t, world, `worker${i}`, true)),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  await Promise.all(workers.map((worker) => worker.terminate()));
  const alice = await world.enter('alice');
  assert.equal((await say(alice, alice, 'the process is well')).status, 2);
});
