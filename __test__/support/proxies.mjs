// Proxies that lead everything to 127.0.0.1, whatever the host: only they can resolve the names that tests make up.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** Bytes of a stream on demand. */
class Reader {
  #stream;
  #buffered = Buffer.alloc(0);

  constructor(stream) {
    this.#stream = stream;
  }

  async take(count) {
    await this.#until(() => this.#buffered.length >= count);
    return this.#cut(count);
  }

  async takeThrough(mark) {
    await this.#until(() => this.#buffered.includes(mark));
    return this.#cut(this.#buffered.indexOf(mark) + mark.length);
  }

  /** What was read and not taken. */
  get rest() {
    return this.#buffered;
  }

  async #until(ready) {
    while (!ready()) {
      const piece = this.#stream.read();
      if (piece !== null) this.#buffered = Buffer.concat([this.#buffered, piece]);
      else if (this.#stream.readableEnded || this.#stream.destroyed) throw new Error('the stream ended');
      else await once(this.#stream, 'readable');
    }
  }

  #cut(count) {
    const cut = this.#buffered.subarray(0, count);
    this.#buffered = this.#buffered.subarray(count);
    return cut;
  }
}

/** Joins two streams; the end of one is the end of both. */
function join(one, other) {
  one.pipe(other).pipe(one);
  for (const [from, to] of [[one, other], [other, one]]) {
    from.on('close', () => to.destroy());
  }
}

async function httpProxy(client, { credentials, asked }) {
  const reader = new Reader(client);
  const head = (await reader.takeThrough('\r\n\r\n')).toString();
  const [method, target] = head.split(' ');
  asked.push(`${method} ${target}`);
  const given = /^proxy-authorization: Basic (.*)$/im.exec(head)?.[1]?.trim();
  if (credentials !== undefined && given !== Buffer.from(credentials).toString('base64')) {
    client.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
    return;
  }
  const { port } = new URL(method === 'CONNECT' ? `http://${target}` : target);
  const server = connect(Number(port), '127.0.0.1');
  server.on('error', () => client.destroy());
  if (method === 'CONNECT') client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  else server.write(Buffer.concat([Buffer.from(head), reader.rest]));
  join(client, server);
}

async function socksProxy(client, { credentials, asked }) {
  const reader = new Reader(client);
  const [, methods] = await reader.take(2);
  await reader.take(methods);
  client.write(Buffer.from([5, credentials === undefined ? 0 : 2]));
  if (credentials !== undefined) {
    const [, userLength] = await reader.take(2);
    const user = await reader.take(userLength);
    const [passwordLength] = await reader.take(1);
    const password = await reader.take(passwordLength);
    const accepted = `${user}:${password}` === credentials;
    client.write(Buffer.from([1, accepted ? 0 : 1]));
    if (!accepted) return client.end();
  }
  const [version, command, , kind, length] = await reader.take(5);
  if (version !== 5 || command !== 1 || kind !== 3) return client.destroy();
  const host = await reader.take(length);
  const port = (await reader.take(2)).readUInt16BE();
  asked.push(`${host}:${port}`);
  const server = connect(port, '127.0.0.1');
  server.on('error', () => client.destroy());
  client.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
  join(client, server);
}

/**
 * Starts a proxy; it ends with the test.
 *
 * @param kind `'http'` or `'socks5'`
 * @param credentials `user:password` that it wants; none if left out
 * @returns its address, and what it was asked for
 */
export async function startProxy(t, kind, credentials) {
  const asked = [];
  const clients = new Set();
  const handle = kind === 'http' ? httpProxy : socksProxy;
  const server = createServer((client) => {
    clients.add(client);
    client.on('error', () => {});
    client.on('close', () => clients.delete(client));
    handle(client, { credentials, asked }).catch(() => client.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    server.close();
    for (const client of clients) client.destroy();
    await once(server, 'close');
  });
  return { host: `127.0.0.1:${server.address().port}`, asked };
}
