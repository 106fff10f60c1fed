// A REST API that answers as a test says, for what a real server does not do on request.
import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * Starts it; it ends with the test.
 *
 * @param answer `(path, body, headers) => envelope`, or a promise of one; a function instead of an envelope gets the raw
 *   response
 */
export async function startStub(t, answer) {
  const requests = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += chunk;
    const body = JSON.parse(text);
    requests.push({ path: request.url, body, headers: request.headers });
    const given = await answer(request.url, body, request.headers);
    if (typeof given === 'function') return given(response);
    response.setHeader('content-type', 'application/json');
    return response.end(JSON.stringify(given));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    apiAddr: `http://127.0.0.1:${server.address().port}`,
    requests,
    /** Requests to one path. */
    of: (path) => requests.filter((request) => request.path === path),
  };
}

/** What a true server answers. */
export async function forward({ apiAddr }, path, body, { operationid: operationID, token }) {
  const request = { method: 'POST', headers: { operationID, token }, body: JSON.stringify(body) };
  return (await fetch(`${apiAddr}${path}`, request)).json();
}

export const success = (data) => ({ errCode: 0, errMsg: '', errDlt: '', ...(data === undefined ? {} : { data }) });

export const refusal = (errCode, errMsg, errDlt = '') => ({ errCode, errMsg, errDlt });
