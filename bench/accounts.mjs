// P10: a thousand accounts in one process, each logged in with its data on disk, each receives one message.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { OpenIM, Platform } from 'openim-node';
import { needOpenFiles } from './open-files.mjs';

const ACCOUNTS = 1000;
/** Database, log, its index and lock, a reader's two, two connections, and some that are about to close. */
const FILES_PER_ACCOUNT = 10;
const SENDER = 'sender';

/** The next word of this name that the child says. */
function hear(child, name) {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => message.name === name && resolve(message.value));
    child.once('exit', (code) => reject(new Error(`the process of the accounts ended with ${code}`)));
  });
}

async function openSender(server) {
  const client = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: ':memory:' });
  await client.login({ userID: SENDER, token: await server.token(SENDER), waitUntil: 'synced' });
  return client;
}

/** What the figures of the child mean: the first account over a bare Node, and each further one. */
function evaluate({ bare, loaded, first, few, synced, idle, received, closed, peak, ...times }) {
  const further = ({ rssMB }) => (rssMB - few.rssMB) / (ACCOUNTS - few.accounts);
  return {
    accounts: ACCOUNTS,
    ...times,
    rssMB: {
      bareNode: bare.rssMB,
      loadedOverBare: loaded.rssMB - bare.rssMB,
      firstOverBare: first.rssMB - bare.rssMB,
      furtherOnceSynced: further(synced),
      furtherIdle: further(idle),
      furtherAfterMessage: further(received),
      all: idle.rssMB,
      peak: peak.rssMB,
      allClosed: closed.rssMB,
    },
    ...(idle.threads !== undefined && {
      threads: { bareNode: bare.threads, loaded: loaded.threads, peak: peak.threads, idle: idle.threads, allClosed: closed.threads },
      files: {
        bareNode: bare.files, peak: peak.files, idle: idle.files, allClosed: closed.files,
        peakPerAccount: (peak.files - bare.files) / ACCOUNTS, idlePerAccount: (idle.files - bare.files) / ACCOUNTS,
      },
    }),
  };
}

export async function benchAccounts(server, folder) {
  needOpenFiles(ACCOUNTS * FILES_PER_ACCOUNT + 500, `${ACCOUNTS} accounts`);
  if (process.platform !== 'linux') console.log('threads and open files are counted on Linux only, and left out here');
  const userIDs = Array.from({ length: ACCOUNTS }, (_, i) => `account${i}`);
  await server.register([SENDER, ...userIDs]);
  const accounts = [];
  for (const userID of userIDs) accounts.push({ userID, token: await server.token(userID) });
  const sender = await openSender(server);

  const child = fork(fileURLToPath(new URL('accounts-child.mjs', import.meta.url)), { execArgv: ['--expose-gc'] });
  try {
    await hear(child, 'ready');
    const done = hear(child, 'done');
    child.send({ addresses: server.addresses, accounts, dataDir: join(folder, 'accounts') });
    await Promise.race([hear(child, 'idle'), done]);
    const all = hear(child, 'received');
    const before = performance.now();
    await Promise.all(userIDs.map((recvID) => (
      sender.sendMessage({ recvID, groupID: '', message: sender.createTextMessage(`welcome, ${recvID}`) })
    )));
    await Promise.race([all, done]);
    const receiveMs = performance.now() - before;
    return evaluate({ receiveMs, ...await done });
  } finally {
    if (child.exitCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    await sender.close();
  }
}
