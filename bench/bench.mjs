// npm run bench [-- --json FILE] [-- --only NAME]: the speed of the whole package, against a server in a process of its
// own, with data on disk. Every gate prints PASS or FAIL with its figure; one that fails makes the exit code 1.
//
// Set TMPDIR to choose the disk that is measured.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MAX_BYTES } from '../scripts/size-gate.mjs';
import { benchAccounts } from './accounts.mjs';
import { benchDevServer } from './dev-server.mjs';
import { benchFriends } from './friends.mjs';
import { benchLoad } from './load.mjs';
import { benchSend } from './send.mjs';
import { startServer } from './server.mjs';
import { benchSync } from './sync.mjs';

const { values: options } = parseArgs({ options: { json: { type: 'string' }, only: { type: 'string' } } });

const round = (value) => (Number.isInteger(value) ? value : Number(value.toPrecision(3)));

/** Benchmarks by name: how each is run, and the gates over its figures. */
const BENCHMARKS = {
  load: {
    run: () => benchLoad(),
    gates: ({ medianMs, addonBytes }) => [
      ['P9 require', medianMs, 'ms', (ms) => ms <= 10, 'at most 10 ms'],
      ['P9 addon', addonBytes / 2 ** 20, 'MB', () => addonBytes <= MAX_BYTES, 'at most 8 MB'],
    ],
  },
  send: {
    run: benchSend,
    gates: ({ sequential }) => [
      ['P3 send round trip, p50', sequential.p50Ms, 'ms', (ms) => ms <= 0.5, 'at most 0.5 ms'],
    ],
  },
  sync: {
    run: benchSync,
    gates: ({ ofRaw, loopDelayMs }) => [
      ['P1 sync of 100,000 messages', ofRaw * 100, '% of the raw insert rate', (share) => share >= 60, 'at least 60 %'],
      ['P4 event loop delay meanwhile, p99', loopDelayMs.p99, 'ms', (ms) => ms < 10, 'below 10 ms'],
    ],
  },
  friends: { run: benchFriends, gates: () => [] },
  accounts: {
    run: benchAccounts,
    gates: ({ rssMB }) => [
      ['P10 first account over bare Node', rssMB.firstOverBare, 'MB', (mb) => mb <= 12, 'at most 12 MB'],
      ['P10 each further account, synced', rssMB.furtherOnceSynced, 'MB', (mb) => mb <= 1, 'at most 1 MB'],
      ['P10 each further account, idle', rssMB.furtherIdle, 'MB', (mb) => mb <= 1, 'at most 1 MB'],
    ],
  },
  server: {
    run: benchDevServer,
    gates: ({ readyMs, idle, messagesPerSec }) => [
      ['P13 dev server ready', readyMs, 'ms', (ms) => ms <= 100, 'at most 100 ms'],
      ['P13 messages accepted and fanned out', messagesPerSec.inMemory, '/s', (rate) => rate >= 20_000, 'at least 20,000 /s'],
      ...(idle.connectedMB === undefined ? [] : [
        ['P13 10,000 idle connections', idle.connectedMB, 'MB', (mb) => mb <= 400, 'at most 400 MB'],
      ]),
    ],
  },
};

/** Runs one benchmark with a server and a folder of its own. */
async function runOne({ run }) {
  const folder = mkdtempSync(join(tmpdir(), 'openim-node-bench-'));
  const server = await startServer();
  try {
    return await run(server, folder);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const report = { node: process.version, cpu: cpus()[0].model, cores: cpus().length, figures: {}, gates: [] };
for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
  if (options.only !== undefined && options.only !== name) continue;
  console.log(`\n== ${name}`);
  const figures = await runOne(benchmark);
  report.figures[name] = figures;
  console.log(JSON.stringify(figures, (_, value) => (typeof value === 'number' ? round(value) : value), 2));
  for (const [gate, value, unit, holds, bound] of benchmark.gates(figures)) {
    const pass = holds(value);
    report.gates.push({ gate, value, unit, bound, pass });
    console.log(`${pass ? 'PASS' : 'FAIL'} ${gate}: ${round(value)} ${unit} (${bound})`);
  }
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
const failed = report.gates.filter(({ pass }) => !pass);
console.log(`\n${report.gates.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
