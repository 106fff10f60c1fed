// The server under test: the embedded dev server, or any OpenIM server named by OPENIM_API, OPENIM_WS, OPENIM_SECRET.
import { DevServer } from 'openim-node';
import { Admin } from 'openim-node/admin';
import { startCommand } from '../../scripts/server-command.mjs';

const { OPENIM_API, OPENIM_WS, OPENIM_SECRET = 'openIM123', OPENIM_ADMIN = 'imAdmin' } = process.env;

/** The key of the tokens of the server under test. */
export const SECRET = OPENIM_SECRET;

/** For `skip`: the reason where the server is named and so not ours to change, false where it is embedded. */
const unlessOurs = (reason) => (OPENIM_API ? reason : false);

/** A test that starts and stops its server, or expects to be alone on it. */
export const needsOwnServer = unlessOurs('needs a server of its own, to start and stop');

/** A test that chooses an option of the dev server. */
export const needsOption = (name) => unlessOurs(`needs the dev server's option ${name}`);

/** A test that causes a fault. */
export const needsFaultLever = unlessOurs("needs the dev server's fault levers");

/** The administrator of a server under test. */
export const openAdmin = ({ addresses: { apiAddr } }) => (
  Admin.open({ apiAddr, secret: OPENIM_SECRET, adminUserID: OPENIM_ADMIN })
);

class EmbeddedServer {
  #server;

  constructor(server) {
    this.#server = server;
  }

  get addresses() {
    const { apiAddr, wsAddr } = this.#server.addresses;
    return { apiAddr, wsAddr };
  }

  /** The levers; only an embedded server has them. */
  get faults() {
    return this.#server.faults;
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

/** A server in another process. */
class RemoteServer {
  #admin;

  /** @param stop ends the server; by default it goes on for others */
  static async open(addresses, stop = async () => {}) {
    const server = new RemoteServer();
    Object.assign(server, { addresses, stop });
    server.#admin = await openAdmin(server);
    return server;
  }

  register(users) {
    return this.#admin.registerUsers(users);
  }

  async token(userID, platformID) {
    return (await this.#admin.getUserToken({ userID, platformID })).token;
  }
}

/**
 * @param config of the dev server; `apart: true` gives it a process of its own
 */
export async function startServer({ apart = false, ...config } = {}) {
  if (OPENIM_API) return RemoteServer.open({ apiAddr: OPENIM_API, wsAddr: OPENIM_WS });
  const login = { secret: OPENIM_SECRET, adminUserID: OPENIM_ADMIN };
  if (!apart) return new EmbeddedServer(await DevServer.start({ ...login, ...config }));
  const { addresses, stop } = await startCommand('--secret', login.secret, '--admin', login.adminUserID);
  return RemoteServer.open(addresses, stop);
}
