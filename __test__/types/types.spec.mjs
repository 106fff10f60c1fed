import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '../..');

/** Runs a TypeScript compiler and returns what it complains about. */
function compile(typescript, project) {
  const tsc = join(root, 'node_modules', typescript, 'bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', project], { cwd: root, encoding: 'utf8' });
  return stdout + stderr;
}

for (const typescript of ['ts59', 'typescript']) {
  const { version } = require(`${typescript}/package.json`);

  test(`what users write compiles under TypeScript ${version}, and mistakes do not`, () => {
    assert.equal(compile(typescript, here), '');
  });

  test(`the compile test itself notices a mistake under TypeScript ${version}`, (t) => {
    const folder = mkdtempSync(join(here, 'mistake-'));
    t.after(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: '../tsconfig.json', include: ['*.ts'] }));
    writeFileSync(join(folder, 'mistake.ts'), "import { OpenIM } from 'openim-node';\nnew OpenIM();\n");
    assert.match(compile(typescript, folder), /mistake\.ts\(2,1\): error TS2673/);
  });
}

test('the declarations know no any', () => {
  const declarations = ['index.d.ts', 'admin/index.d.ts', 'js/types.d.ts'];
  for (const file of declarations) {
    const text = readFileSync(join(root, file), 'utf8').replace(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, '');
    assert.doesNotMatch(text, /\bany\b/, file);
  }
});
