// The server of a benchmark, in a process of its own, and accounts on it.
import { Platform } from 'openim-node';
import { Administrator, startCommand } from '../scripts/server-command.mjs';

/** Starts a server in memory. */
export async function startServer() {
  const { addresses, stop } = await startCommand('--memory');
  const administrator = new Administrator(addresses.apiAddr);
  return {
    addresses,
    stop,
    /** Creates accounts. */
    register: (userIDs) => administrator.register(userIDs.map((userID) => ({ userID, nickname: userID, faceURL: '' }))),
    token: (userID) => administrator.token(userID, Platform.Linux),
  };
}
