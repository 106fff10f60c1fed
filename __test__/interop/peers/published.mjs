// A published OpenIM client in pure JavaScript that nobody here wrote. PEER_CACHE names the folder that has it.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Timeline } from '../timeline.mjs';
import { face } from './face.mjs';

/** Web: what this client is to a server. */
export const platformID = 5;

const requirePeer = createRequire(join(process.env.PEER_CACHE ?? '.', 'published', 'package.json'));

function loadPeer() {
  const WebSocket = requirePeer('ws');
  // it expects a browser's socket, which Node has only from 22 on
  globalThis.WebSocket ??= class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { perMessageDeflate: false });
      this.binaryType = 'arraybuffer';
    }
  };
  // its logger prints every event
  for (const level of ['debug', 'info', 'log']) console[level] = () => {};
  return requirePeer('@openim/client-sdk').getSDK();
}

export async function open({ label, userID, token, addresses }) {
  const sdk = loadPeer();
  const timeline = new Timeline();
  const emit = sdk.emit.bind(sdk);
  sdk.emit = (event, envelope) => {
    timeline.add(event, envelope.data);
    return emit(event, envelope);
  };
  /** Calls of this client resolve and reject with an envelope. */
  const call = async (method, params) => {
    try {
      return (await sdk[method](params)).data;
    } catch (envelope) {
      throw new Error(`${method}: ${envelope.errCode} ${envelope.errMsg ?? envelope}`);
    }
  };
  return {
    label,
    userID,
    timeline,
    version: requirePeer('@openim/client-sdk/package.json').version,
    ...face(call),
    login: () => call('login', { userID, token, platformID, ...addresses, logLevel: 5 }),
    close: async () => {},
  };
}
