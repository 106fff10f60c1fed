// Child process of native.mjs: holds the published native core, of which a process can have one.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { nativeLibrary } from '../native-core.mjs';

const folder = join(process.env.PEER_CACHE, 'native');
const requirePeer = createRequire(join(folder, 'package.json'));
const Main = requirePeer('@openim/electron-client-sdk');
// found through NODE_PATH, by the SDK as well
const { invoke } = requirePeer('electron');

const window = {
  isDestroyed: () => false,
  once() {},
  send: (_channel, event, envelope) => process.send({ event, data: envelope?.data }),
};
const main = new Main(nativeLibrary(folder), window);

process.on('message', async ({ call, method, args }) => {
  const answer = await invoke(method, ...args).catch((error) => (
    error?.errCode === undefined ? { errCode: -1, errMsg: String(error) } : error
  ));
  process.send({ call, answer });
});
process.on('disconnect', () => {
  main.dispose();
  process.exit();
});
process.send({ call: 'start' });
