// A client that is killed: it logs in, sends numbered messages as long as it lives, and says what it does on stdout.
//
//   node crash-child.mjs CONFIG   CONFIG: JSON of { config, userID, token, recvID, life, waitUntil, quiet }
import { OpenIM } from 'openim-node';

const { config, userID, token, recvID, life, waitUntil, quiet } = JSON.parse(process.argv[2]);
const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);

if (process.env.CRASH_LOGS) await OpenIM.configureLogs({ logLevel: 'trace', logDir: `${process.env.CRASH_LOGS}/${String(life ?? 'last').padStart(3, '0')}` });
const client = await OpenIM.open(config);
client.on('OnRecvNewMessages', (messages) => say({ received: messages.map(({ clientMsgID }) => clientMsgID) }));
await client.login({ userID, token, waitUntil });
say({ ready: true });
if (quiet) {
  // the last life: nothing is sent any more, and the outbox runs empty
  const timer = setInterval(async () => {
    if (client.getSyncStatus() !== 'synced' || client.stats().outboxQueued > 0) return;
    clearInterval(timer);
    say({ idle: true });
    await client.close();
  }, 20);
} else {
  for (let i = 0; ; i++) {
    const message = client.createTextMessage(`${life}.${i}`);
    say({ calling: message.clientMsgID });
    const sending = client.sendMessage({ recvID, message });
    const told = sending.then(() => say({ accepted: message.clientMsgID }), ({ code }) => say({ failed: code }));
    // sometimes several are on their way
    if (i % 3 === 2) await told;
    else await new Promise((next) => { setTimeout(next, 1); });
  }
}
