import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the demo runs to its end and clears up behind it', () => {
  const demo = fileURLToPath(new URL('../examples/demo.js', import.meta.url));
  const leftovers = () => readdirSync(tmpdir()).filter((name) => name.startsWith('openim-node-demo-'));
  const before = leftovers();
  const { status, stdout, stderr } = spawnSync(process.execPath, [demo], { encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  assert.ok(stdout.endsWith('\ndemo ok\n'), stdout);
  assert.deepEqual(leftovers(), before);
});
