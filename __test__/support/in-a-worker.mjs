// Worker thread: lives with a client of its own, says how far it got, and goes on only if it is told to flood.
import { parentPort, workerData } from 'node:worker_threads';
import { OpenIM, Platform } from 'openim-node';

const { addresses, userID, token, flood } = workerData;
const client = await OpenIM.open({ ...addresses, platformID: Platform.Linux, dataDir: ':memory:' });
let received = 0;
client.on('OnRecvNewMessage', () => { received += 1; });
await client.login({ userID, token, waitUntil: 'synced' });
const send = () => client.sendMessage({ recvID: userID, message: client.createTextMessage('from a worker') });
const { status } = await send();
parentPort.postMessage({ status, received });
if (flood) for (;;) await send();
await client.close();
