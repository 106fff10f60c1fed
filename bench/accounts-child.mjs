// Child process of accounts.mjs: many accounts in one process. What it holds before it loads the package is what the rest
// is compared with, so nothing but Node is imported at first. Started with --expose-gc.
import { existsSync, readdirSync } from 'node:fs';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/** Past the second comparison with the server, 1.5 s after a connect: nothing happens any more. */
const QUIET_AFTER_MS = 2500;
/** A database without use lets go of what it can do without after 10 s, the threads that did it end 10 s later. */
const IDLE_AFTER_MS = 23_000;
/** How many accounts there are before further ones are counted: what is made once per process is there. */
const FEW = 10;

const hasProc = existsSync('/proc/self/task');

/** Threads and open files, where the system tells. */
const counted = () => (hasProc
  ? { threads: readdirSync('/proc/self/task').length, files: readdirSync('/proc/self/fd').length }
  : {});

/** What this process holds once its garbage is collected. */
function held() {
  globalThis.gc();
  globalThis.gc();
  return { rssMB: process.memoryUsage.rss() / 2 ** 20, ...counted() };
}

/** Looks at what this process holds until the returned function is called, which gives the highest values. */
function watchPeak() {
  const peak = {};
  const look = () => {
    const now = { rssMB: process.memoryUsage.rss() / 2 ** 20, ...counted() };
    for (const [what, value] of Object.entries(now)) peak[what] = Math.max(peak[what] ?? 0, value);
  };
  const timer = setInterval(look, 250);
  return () => {
    clearInterval(timer);
    look();
    return peak;
  };
}

const say = (name, value) => process.send({ name, value });

/** Runs `work`; how long it took, and the processor time of this process meanwhile, ms. */
async function timed(work) {
  const cpu = process.cpuUsage();
  const before = performance.now();
  await work();
  const ms = performance.now() - before;
  const { user, system } = process.cpuUsage(cpu);
  return { ms, cpuMs: (user + system) / 1000 };
}

async function live({ addresses, accounts, dataDir }) {
  const bare = held();
  const { OpenIM, Platform } = await import('openim-node');
  const loaded = held();

  const clients = [];
  let missing = accounts.length;
  async function enter({ userID, token }) {
    const client = await OpenIM.open({ ...addresses, platformID: Platform.Linux, dataDir });
    clients.push(client);
    client.once('OnRecvNewMessages', () => {
      if (--missing === 0) say('received');
    });
    await client.login({ userID, token, waitUntil: 'synced' });
  }

  await enter(accounts[0]);
  await sleep(QUIET_AFTER_MS);
  const first = held();
  await Promise.all(accounts.slice(1, FEW).map(enter));
  await sleep(QUIET_AFTER_MS);
  const few = { ...held(), accounts: FEW };

  const stopWatching = watchPeak();
  const login = await timed(() => Promise.all(accounts.slice(FEW).map(enter)));
  await sleep(QUIET_AFTER_MS);
  const synced = held();
  const peak = stopWatching();
  await sleep(IDLE_AFTER_MS);
  const idle = held();

  say('idle');
  while (missing > 0) await sleep(50);
  await sleep(IDLE_AFTER_MS);
  const received = held();

  const close = await timed(() => Promise.all(clients.splice(0).map((client) => client.close())));
  await sleep(IDLE_AFTER_MS);
  const closed = held();
  return {
    loginMs: login.ms, loginCpuMs: login.cpuMs, closeMs: close.ms,
    bare, loaded, first, few, synced, idle, received, closed, peak,
  };
}

const starting = once(process, 'message');
say('ready');
const [task] = await starting;
say('done', await live(task));
process.disconnect();
