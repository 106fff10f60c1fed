// Packs the main package and lets publint and arethetypeswrong judge what users would get.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack } from './pack.mjs';
import { exitCode, tool } from './run.mjs';

const folder = mkdtempSync(join(tmpdir(), 'openim-node-lint-'));
try {
  const tarball = pack('.', folder);
  const results = [
    exitCode(process.execPath, [tool('publint', 'publint'), '--strict', tarball]),
    exitCode(process.execPath, [tool('@arethetypeswrong/cli', 'attw'), tarball]),
  ];
  process.exitCode = results.some((result) => result !== 0) ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
