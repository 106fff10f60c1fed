// P1 and P4: a device that was away catches up with 100,000 messages: socket -> SQLite on disk -> events in JavaScript.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { OpenIM, Platform } from 'openim-node';
import { rawInsertRate } from './raw-insert.mjs';
import { flood } from './senders.mjs';

const SENDERS = 100;
const PER_SENDER = 1000;
const MESSAGES = SENDERS * PER_SENDER;
const RECEIVER = 'receiver';

/** The receiver's device; it fetches everything that it missed. */
async function openReceiver(server, dataDir) {
  return OpenIM.open({
    ...server.addresses,
    platformID: Platform.Linux,
    dataDir,
    syncPullCount: PER_SENDER,
    syncPullConversations: SENDERS,
    // on loopback gzip is work for both ends and saves nothing
    compression: false,
  });
}

/** Logs in on a device that is `MESSAGES` behind and measures until all of them were told. */
async function catchUp(server, dataDir, token) {
  const client = await openReceiver(server, dataDir);
  const delay = monitorEventLoopDelay({ resolution: 1 });
  let received = 0;
  const complete = new Promise((resolve) => {
    client.on('OnRecvNewMessages', (messages) => {
      received += messages.length;
      if (received === MESSAGES) resolve();
    });
  });
  const cpu = process.cpuUsage();
  const loop = performance.eventLoopUtilization();
  const before = performance.now();
  delay.enable();
  await client.login({ userID: RECEIVER, token });
  await complete;
  const ms = performance.now() - before;
  delay.disable();
  const { user, system } = process.cpuUsage(cpu);
  const { active } = performance.eventLoopUtilization(loop);
  const figures = {
    messages: MESSAGES,
    seconds: ms / 1000,
    messagesPerSec: Math.round(MESSAGES / (ms / 1000)),
    processCpuUsPerMessage: (user + system) / MESSAGES,
    mainThreadMsPer10k: active / (MESSAGES / 10_000),
    loopDelayMs: {
      p50: delay.percentile(50) / 1e6, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6,
    },
    unread: await client.getTotalUnreadMsgCount(),
    eventsDropped: client.stats().eventsDropped,
  };
  await client.close();
  if (figures.unread !== MESSAGES) throw new Error(`${figures.unread} unread of ${MESSAGES}`);
  return figures;
}

export async function benchSync(server, folder) {
  const senders = Array.from({ length: SENDERS }, (_, i) => `sender${i}`);
  await server.register([RECEIVER, ...senders]);
  const token = await server.token(RECEIVER);
  const dataDir = join(folder, 'receiver');
  // the device is no new one: what comes later is told, not only stored
  const first = await openReceiver(server, dataDir);
  await first.login({ userID: RECEIVER, token, waitUntil: 'synced' });
  await first.close();
  await flood(server, { senders, count: PER_SENDER, receiver: RECEIVER });

  const figures = await catchUp(server, dataDir, token);
  const raw = join(folder, 'raw');
  mkdirSync(raw);
  figures.rawRowsPerSec = rawInsertRate(raw, MESSAGES);
  figures.ofRaw = figures.messagesPerSec / figures.rawRowsPerSec;
  return figures;
}
