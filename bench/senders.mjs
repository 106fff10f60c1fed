// Child process: many users write to one. Started by `flood`, which tells what to send.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { OpenIM, Platform } from 'openim-node';

/** How many messages of a sender are on their way at a time; the core sends them one after another. */
const WINDOW = 50;

/**
 * Has `senders` users each send `count` texts to one receiver, from a process of its own. Resolves when the server has
 * accepted all of them.
 */
export async function flood(server, { senders, count, receiver }) {
  const accounts = await Promise.all(senders.map(async (userID) => (
    { userID, token: await server.token(userID, Platform.Linux) }
  )));
  const child = fork(fileURLToPath(import.meta.url), ['flood']);
  child.send({ addresses: server.addresses, accounts, count, receiver });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`the senders ended with ${code}`);
}

/** A text of ordinary length, different each time. */
const text = (userID, i) => `${userID}, number ${i}: 今天的天气很好, let us meet at ten o'clock at the usual place.`;

async function send({ addresses, accounts, count, receiver }) {
  await Promise.all(accounts.map(async ({ userID, token }) => {
    const client = await OpenIM.open({ ...addresses, platformID: Platform.Linux, dataDir: ':memory:' });
    await client.login({ userID, token, waitUntil: 'synced' });
    for (let i = 0; i < count; i += WINDOW) {
      await Promise.all(Array.from({ length: Math.min(WINDOW, count - i) }, (_, k) => (
        client.sendMessage({ recvID: receiver, groupID: '', message: client.createTextMessage(text(userID, i + k)) })
      )));
    }
    await client.close();
  }));
}

if (process.argv[2] === 'flood') {
  process.once('message', (task) => {
    send(task).then(
      () => process.exit(0),
      (error) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
