// The server of a benchmark, in a process of its own, and accounts on it.
import { Platform } from 'openim-node';
import { Admin } from 'openim-node/admin';
import { startCommand } from '../scripts/server-command.mjs';

const SECRET = 'openIM123';

/** Starts a server in memory. */
export async function startServer() {
  const { addresses, pid, stop } = await startCommand('--memory', '--secret', SECRET);
  const admin = await Admin.open({ apiAddr: addresses.apiAddr, secret: SECRET });
  return {
    addresses,
    /** Its process. */
    pid,
    stop,
    admin,
    /** Creates accounts. */
    register: (userIDs) => admin.registerUsers(userIDs.map((userID) => ({ userID, nickname: userID }))),
    async token(userID, platformID = Platform.Linux) {
      return (await admin.getUserToken({ userID, platformID })).token;
    },
  };
}
