// P13: the dev server in memory: how soon it is ready, what it holds for connections that do nothing, and how many
// messages it takes and passes on.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { DevServer, Platform } from 'openim-node';
import { root } from '../scripts/run.mjs';
import { needOpenFiles } from './open-files.mjs';

const CONNECTIONS = 10_000;
/** Connections and requests that are made at a time. */
const AT_ONCE = 100;
const STARTS = 11;
/** Below the 30 s of silence after which a server closes. */
const PING_EVERY_MS = 10_000;
/** An empty ping with a mask of zeros. */
const PING = Buffer.from([0x89, 0x80, 0, 0, 0, 0]);

/** How long a start takes inside a process that has loaded the package. */
async function readyMs() {
  const times = [];
  for (let i = 0; i < STARTS; i++) {
    const before = performance.now();
    const server = await DevServer.start();
    times.push(performance.now() - before);
    await server.stop();
  }
  return times.sort((a, b) => a - b)[STARTS >> 1];
}

/** Calls `work` with each item, a hundred at a time; the results in order. */
async function each(items, work) {
  const results = [];
  let next = 0;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await work(items[i], i);
  }));
  return results;
}

/** A WebSocket connection without a client around it: resolves when the gateway has taken it. */
function open(wsAddr, userID, token) {
  const { hostname, port } = new URL(wsAddr);
  const query = new URLSearchParams({
    sendID: userID, token, platformID: Platform.Linux, operationID: userID, isBackground: false, isMsgResp: true, sdkType: 'js',
  });
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port, noDelay: true });
    let head = '';
    socket.on('error', reject);
    socket.once('close', () => reject(new Error(`the gateway closed: ${head}`)));
    socket.on('data', function read(data) {
      head += data.toString('latin1');
      if (!/"errCode":\s*-?\d+/.test(head)) return;
      socket.off('data', read);
      socket.resume();
      if (/^HTTP\/1\.1 101 [^]*"errCode":\s*0\b/.test(head)) resolve(socket);
      else reject(new Error(`the gateway refuses: ${head}`));
    });
    socket.write([
      `GET /?${query} HTTP/1.1`, `Host: ${hostname}:${port}`, 'Connection: Upgrade', 'Upgrade: websocket',
      'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`, '', '',
    ].join('\r\n'));
  });
}

/** Resident memory of another process, MB; undefined where the system does not tell. */
function residentMB(pid) {
  const file = `/proc/${pid}/status`;
  return existsSync(file) ? Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(file, 'utf8'))[1]) / 1024 : undefined;
}

async function idleConnections(server) {
  needOpenFiles(CONNECTIONS + 500, `${CONNECTIONS} connections`);
  const before = residentMB(server.pid);
  if (before === undefined) {
    console.log('the memory of another process is read on Linux only, and left out here');
    return {};
  }
  const userIDs = Array.from({ length: CONNECTIONS }, (_, i) => `idle${i}`);
  for (let i = 0; i < CONNECTIONS; i += 1000) await server.register(userIDs.slice(i, i + 1000));
  const tokens = await each(userIDs, (userID) => server.token(userID));
  const sockets = [];
  const pings = setInterval(() => sockets.forEach((socket) => socket.write(PING)), PING_EVERY_MS);
  try {
    await each(userIDs, async (userID, i) => {
      sockets.push(await open(server.addresses.wsAddr, userID, tokens[i]));
    });
    const gone = sockets.filter((socket) => socket.destroyed).length;
    if (gone > 0) throw new Error(`the server closed ${gone} of ${CONNECTIONS} idle connections`);
    return { connections: CONNECTIONS, emptyMB: before, connectedMB: residentMB(server.pid) };
  } finally {
    clearInterval(pings);
    for (const socket of sockets) socket.destroy();
  }
}

/** Messages per second through clients of the protocol's own, which share the machine with the server. */
function throughput() {
  const { status, stdout, stderr } = spawnSync('cargo', [
    'test', '--quiet', '--profile', 'release', '-p', 'openim-devserver', '--test', 'throughput', '--', '--ignored', '--nocapture',
  ], { cwd: root, encoding: 'utf8' });
  const rates = /(\d+) messages\/s in memory, (\d+) messages\/s on disk/.exec(stdout);
  if (status !== 0 || rates === null) throw new Error(`the dev server's rate cannot be measured: ${stderr.trim()}`);
  return { inMemory: Number(rates[1]), onDisk: Number(rates[2]) };
}

export async function benchDevServer(server) {
  return { readyMs: await readyMs(), idle: await idleConnections(server), messagesPerSec: throughput() };
}
