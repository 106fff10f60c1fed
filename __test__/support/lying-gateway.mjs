// A gateway that stands between a client and a true one and lies: it changes answers on their way, and sends whatever a
// test wants. It reads JSON envelopes: the client must be opened with LYING_WIRE.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** What a client's configuration needs, for the gateway to understand the frames. */
export const LYING_WIRE = { wireFormat: 'json', compression: false };

const TEXT = 1;
const BINARY = 2;

/** The head of an unmasked frame. */
export function frameHead(opcode, length) {
  const head = [0x80 | opcode];
  if (length < 126) return Buffer.from([...head, length]);
  const long = Buffer.alloc(10);
  long.writeBigUInt64BE(BigInt(length), 2);
  long[0] = head[0];
  long[1] = 127;
  return long;
}

const frame = (opcode, payload) => Buffer.concat([frameHead(opcode, payload.length), payload]);

const envelope = (answer) => frame(BINARY, Buffer.from(JSON.stringify({ ...answer, data: answer.data.toString('base64') })));

/** Takes one frame off the front of a buffer; undefined if it is not all there. The server neither masks nor splits. */
function takeFrame(buffer) {
  if (buffer.length < 2) return undefined;
  const short = buffer[1] & 127;
  const head = { 126: 4, 127: 10 }[short] ?? 2;
  if (buffer.length < head) return undefined;
  const length = { 126: () => buffer.readUInt16BE(2), 127: () => Number(buffer.readBigUInt64BE(2)) }[short]?.() ?? short;
  if (buffer.length < head + length) return undefined;
  return {
    opcode: buffer[0] & 15,
    payload: buffer.subarray(head, head + length),
    whole: buffer.subarray(0, head + length),
    rest: buffer.subarray(head + length),
  };
}

/**
 * Starts it before a true gateway; it ends with the test. It tells the truth until `greet` or `answer` is set:
 * `gateway.greet = () => Buffer` replaces the bytes of the handshake reply, `gateway.answer = ({ reqIdentifier, data }) =>
 * Buffer | undefined` the payload of an answer or push.
 */
export async function startLyingGateway(t, { wsAddr }) {
  const { hostname, port } = new URL(wsAddr);
  const clients = new Set();
  const gateway = {
    greet: undefined,
    answer: () => undefined,
    /** Answers and pushes that passed so far, by operation. */
    passed: {},
    /** Handshakes so far. */
    connections: 0,
    /** Writes raw bytes to every open connection. */
    write: (bytes) => { for (const client of clients) client.write(bytes); },
    /** Sends a push with this payload, or any other envelope. */
    send: (data, reqIdentifier = 2001) => gateway.write(envelope({
      reqIdentifier, msgIncr: '', operationID: '', errCode: 0, errMsg: '', data,
    })),
    /** How many connections are open. */
    get open() { return clients.size; },
  };

  const translate = ({ opcode, payload, whole }) => {
    if (opcode === TEXT && gateway.greet !== undefined) return gateway.greet();
    if (opcode !== BINARY) return whole;
    const answer = JSON.parse(payload);
    gateway.passed[answer.reqIdentifier] = (gateway.passed[answer.reqIdentifier] ?? 0) + 1;
    const lie = gateway.answer({ ...answer, data: Buffer.from(answer.data ?? '', 'base64') });
    return lie === undefined ? whole : envelope({ ...answer, data: lie });
  };

  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    gateway.connections += 1;
    clients.add(client);
    client.pipe(upstream);
    let buffer = Buffer.alloc(0);
    let upgraded = false;
    upstream.on('data', (piece) => {
      buffer = Buffer.concat([buffer, piece]);
      if (!upgraded) {
        const end = buffer.indexOf('\r\n\r\n');
        if (end < 0) return;
        upgraded = true;
        client.write(buffer.subarray(0, end + 4));
        buffer = buffer.subarray(end + 4);
      }
      for (let next = takeFrame(buffer); next !== undefined; next = takeFrame(buffer)) {
        buffer = next.rest;
        client.write(translate(next));
      }
    });
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      from.on('error', () => {});
      from.on('close', () => {
        clients.delete(client);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const client of clients) client.destroy();
  });
  gateway.wsAddr = `ws://127.0.0.1:${server.address().port}`;
  return gateway;
}
