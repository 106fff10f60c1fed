// Runs two clients against a server: node pair.mjs KIND_A KIND_B, each `ours`, `published` (in JavaScript) or
// `native` (in Go). The server is named by OPENIM_API, OPENIM_WS and OPENIM_SECRET; every run has accounts of its own.
// Exit code 0 = every step passed.
import { randomBytes } from 'node:crypto';
import { startServer } from '../support/servers.mjs';
import { badToken, steps } from './steps.mjs';

const kinds = process.argv.slice(2);
const run = randomBytes(4).toString('hex');
const report = (line) => process.stdout.write(`${line}\n`);

const server = await startServer();
const peers = [];
const refused = [];
let passed = 0;
let failed = 0;
try {
  for (const [i, kind] of kinds.entries()) {
    const { open, platformID } = await import(`./peers/${kind}.mjs`);
    const label = 'AB'[i];
    const userID = `${label.toLowerCase()}_${kind}_${run}`;
    await server.register([{ userID, nickname: `Nick ${label}`, faceURL: '' }]);
    const { addresses } = server;
    const token = await server.token(userID, platformID);
    peers.push(await open({ label, userID, token, addresses }));
    // a client of its own: some can log in only once
    refused.push([`${label} bad token`, () => badToken(() => open({ label, userID, token: 'not.a.token', addresses }))]);
  }
  report(`${kinds.join('-')}: ${peers.map(({ label, version }) => `${label} is version ${version}`).join(', ')}`);
  for (const [name, step] of [...steps(...peers), ...refused]) {
    const before = Date.now();
    const outcome = await step().then(() => 'PASS', (error) => error);
    if (outcome === 'PASS') passed += 1;
    else failed += 1;
    const why = outcome === 'PASS' ? '' : ` - ${outcome.message.split('\n')[0]}`;
    report(`${outcome === 'PASS' ? 'PASS' : 'FAIL'} ${kinds.join('-')} :: ${name} (${Date.now() - before} ms)${why}`);
  }
} finally {
  await Promise.all(peers.map((peer) => peer.close()));
  await server.stop();
}
report(`${passed} passed, ${failed} failed`);
// the published client keeps timers of its own
process.exit(failed === 0 ? 0 : 1);
