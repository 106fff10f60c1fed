// P9: what it costs to load the package, in a fresh process each time, and what the addon weighs.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { measure } from '../scripts/size-gate.mjs';
import { root } from '../scripts/run.mjs';

const RUNS = 11;

function loadMs() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bench/load-child.cjs')], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return Number(stdout);
}

export function benchLoad() {
  loadMs(); // the first one reads the disk
  const times = Array.from({ length: RUNS }, loadMs).sort((a, b) => a - b);
  return { medianMs: times[RUNS >> 1], minMs: times[0], addonBytes: measure().bytes };
}
