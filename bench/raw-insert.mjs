// The rate at which the same rows go into the same schema without anything around: what a sync is compared with.
import { spawnSync } from 'node:child_process';
import { root } from '../scripts/run.mjs';

/** Rows per second, measured by the core's own example in a folder on the same disk. */
export function rawInsertRate(folder, rows) {
  const { status, stdout, stderr } = spawnSync('cargo', [
    'run', '--quiet', '--profile', 'release', '-p', 'openim-core', '--example', 'raw_insert',
    '--', folder, String(rows),
  ], { cwd: root, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the raw insert rate cannot be measured: ${stderr.trim()}`);
  return JSON.parse(stdout.trim().split('\n').at(-1)).rowsPerSec;
}
