// P3: the round trip of a send on loopback, with the message durable on disk before it leaves.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { OpenIM, Platform } from 'openim-node';

const SEQUENTIAL = 3000;
const WARM_UP = 200;
const CONVERSATIONS = 100;
const PER_CONVERSATION = 100;

/** A percentile of ascending numbers. */
const percentile = (sorted, p) => sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))];

function send(client, recvID, i) {
  return client.sendMessage({ recvID, groupID: '', message: client.createTextMessage(`message number ${i}`) });
}

async function sequential(client, recvID) {
  const times = [];
  for (let i = 0; i < WARM_UP + SEQUENTIAL; i++) {
    const before = performance.now();
    await send(client, recvID, i);
    if (i >= WARM_UP) times.push(performance.now() - before);
  }
  times.sort((a, b) => a - b);
  return { count: SEQUENTIAL, p50Ms: percentile(times, 50), p99Ms: percentile(times, 99), maxMs: times.at(-1) };
}

/** One message in flight in each of many conversations, all the time. */
async function inParallel(client, receivers) {
  await Promise.all(receivers.map((recvID) => send(client, recvID, 0)));
  const before = performance.now();
  await Promise.all(receivers.map(async (recvID) => {
    for (let i = 1; i <= PER_CONVERSATION; i++) await send(client, recvID, i);
  }));
  const seconds = (performance.now() - before) / 1000;
  const count = CONVERSATIONS * PER_CONVERSATION;
  return { conversations: CONVERSATIONS, count, sendsPerSec: Math.round(count / seconds) };
}

export async function benchSend(server, folder) {
  const receivers = Array.from({ length: CONVERSATIONS }, (_, i) => `peer${i}`);
  await server.register(['writer', ...receivers]);
  const dataDir = join(folder, 'writer');
  const client = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir });
  await client.login({ userID: 'writer', token: await server.token('writer'), waitUntil: 'synced' });
  const figures = { sequential: await sequential(client, receivers[0]), parallel: await inParallel(client, receivers) };
  await client.close();
  return figures;
}
