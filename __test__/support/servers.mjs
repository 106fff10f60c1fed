// The server under test: the embedded dev server, or any OpenIM server named by OPENIM_API, OPENIM_WS, OPENIM_SECRET.
import { DevServer } from 'openim-node';
import { Administrator } from '../../scripts/server-command.mjs';

const { OPENIM_API, OPENIM_WS, OPENIM_SECRET = 'openIM123', OPENIM_ADMIN = 'imAdmin' } = process.env;

/** The key of the tokens of the server under test. */
export const SECRET = OPENIM_SECRET;

/** For `skip`: why a test that starts, stops or configures its server cannot run here; false where it can. */
export const needsOwnServer = OPENIM_API ? 'needs a server of its own' : false;

class EmbeddedServer {
  #server;

  constructor(server) {
    this.#server = server;
  }

  get addresses() {
    const { apiAddr, wsAddr } = this.#server.addresses;
    return { apiAddr, wsAddr };
  }

  register(users) {
    return this.#server.registerUsers(users);
  }

  token(userID, platformID) {
    return this.#server.token(userID, platformID);
  }

  stop() {
    return this.#server.stop();
  }

  restart() {
    return this.#server.restart();
  }
}

class NamedServer extends Administrator {
  addresses = { apiAddr: OPENIM_API, wsAddr: OPENIM_WS };

  constructor() {
    super(OPENIM_API, { secret: OPENIM_SECRET, userID: OPENIM_ADMIN });
  }

  /** It goes on for others. */
  async stop() {}
}

export async function startServer(config = {}) {
  return OPENIM_API ? new NamedServer() : new EmbeddedServer(await DevServer.start(config));
}
