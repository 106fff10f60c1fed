// Child process: lives a whole life with a server and a client, and must then end by itself. The word on its command
// line says how it lets go.
import { DevServer, OpenIM, Platform } from 'openim-node';

const how = process.argv[2];
const server = await DevServer.start();
const client = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: ':memory:' });
client.on('OnConversationChanged', () => {});
await client.login({ userID: 'alice', token: await server.token('alice', Platform.Linux), waitUntil: 'synced' });
await client.sendMessage({ recvID: 'alice', message: client.createTextMessage('note') });
console.log('lived');

const endings = {
  async close() {
    await client.close();
    await server.stop();
  },
  async 'stop the server first'() {
    await server.stop();
    await client.close();
  },
  unref() {
    client.unref();
    server.unref();
  },
  exit() {
    process.exit(0);
  },
  'exit while sending'() {
    for (let i = 0; i < 200; i++) client.sendMessage({ recvID: 'alice', message: client.createTextMessage(`${i}`) });
    process.exit(0);
  },
  'forget both'() {},
};
await endings[how]();
