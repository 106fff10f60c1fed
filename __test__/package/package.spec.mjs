import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pack, packPlatform } from '../../scripts/pack.mjs';
import { root } from '../../scripts/run.mjs';
import missingBinary from '../../js/missing-binary.js';

const require = createRequire(import.meta.url);
const manifest = require('../../package.json');
const target = missingBinary.currentTarget();
const platformPackage = `openim-node-${target}`;

/** An empty project with the main package and the binary package of this platform, installed from tarballs. */
let project;
/** What the tarball of the main package has. */
let files;

const run = (command, args, options) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: project, encoding: 'utf8', ...options });
  return { status, stdout, stderr };
};

before(() => {
  project = mkdtempSync(join(tmpdir(), 'openim-node-package-'));
  const tarballs = join(project, 'tarballs');
  mkdirSync(tarballs);
  const packed = [pack('.', tarballs), packPlatform(tarballs)];
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  const { status, stderr } = run('npm', [
    'install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', ...packed,
  ], { shell: process.platform === 'win32' });
  assert.equal(status, 0, stderr);
  const listed = run('tar', ['-tzf', packed[0]]).stdout.trim().split('\n');
  files = listed.map((file) => file.replace(/^package\//, '')).sort();
});

after(() => rmSync(project, { recursive: true, force: true }));

const LIVE = `
  const server = await DevServer.start();
  const client = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: ':memory:' });
  await client.login({ userID: 'alice', token: await server.token('alice', Platform.Linux), waitUntil: 'synced' });
  const { status } = await client.sendMessage({ recvID: 'alice', message: client.createTextMessage('installed') });
  await client.close();
  await server.stop();
  console.log(status);
`;

test('installed from tarballs, without scripts and without a network, it works by require', () => {
  writeFileSync(join(project, 'main.cjs'), `
    const { DevServer, OpenIM, Platform } = require('openim-node');
    (async () => { ${LIVE} })();
  `);
  assert.deepEqual(run(process.execPath, ['main.cjs']), { status: 0, stdout: '2\n', stderr: '' });
});

test('and by import', () => {
  writeFileSync(join(project, 'main.mjs'), `import { DevServer, OpenIM, Platform } from 'openim-node'; ${LIVE}`);
  assert.deepEqual(run(process.execPath, ['main.mjs']), { status: 0, stdout: '2\n', stderr: '' });
});

for (const path of ['openim-node', 'openim-node/admin']) {
  test(`require and import of ${path} give the same things`, async () => {
    const required = require(path);
    const imported = await import(path);
    assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
    for (const [name, value] of Object.entries(required)) assert.equal(imported[name], value, name);
  });
}

test('what a sub-path shares with the root is the same there', () => {
  const [whole, admin] = [require('openim-node'), require('openim-node/admin')];
  for (const [name, value] of Object.entries(admin)) if (name in whole) assert.equal(value, whole[name], name);
  assert.equal(admin.OpenIMError, whole.OpenIMError);
});

const declarations = (file = 'index.d.ts') => readFileSync(join(root, file), 'utf8');

/** The values that a declaration file exports, its own and those of other files. */
function declaredIn(file) {
  const own = declarations(file).matchAll(/^export declare (?:class|const|function) (\w+)/gm);
  const others = declarations(file).matchAll(/^export \{([^}]*)\} from/gm);
  const passedOn = [...others].flatMap(([, names]) => names.split(',')).filter((name) => !/\btype\b/.test(name));
  return [...[...own].map(([, name]) => name), ...passedOn.map((name) => name.trim())].sort();
}

test('what is declared is what is exported', () => {
  assert.deepEqual(declaredIn('index.d.ts'), Object.keys(require('openim-node')).sort());
  assert.deepEqual(declaredIn('admin/index.d.ts'), Object.keys(require('openim-node/admin')).sort());
});

test('every method of an Admin is declared, and no other', () => {
  const { Admin } = require('openim-node/admin');
  const [, body] = /declare class Admin \{([\s\S]*?)^\}/m.exec(declarations('admin/index.d.ts'));
  const declared = [...body.matchAll(/^ {2}(\w+)(?:<[^>]*>)?\(/gm)].map(([, name]) => name);
  const real = Object.getOwnPropertyNames(Admin.prototype).filter((name) => name !== 'constructor');
  assert.deepEqual(declared.sort(), real.sort());
});

test('the constants that are declared are those that there are', () => {
  for (const [, name, body] of declarations().matchAll(/^export declare const (\w+): \{([^}]*)\};/gm)) {
    const members = [...body.matchAll(/readonly (\w+): ([^;]+?)\s*(?:;|$)/g)];
    const declared = members.map(([, key, value]) => [key, value.replace(/'/g, '')]);
    const real = Object.entries(require('openim-node')[name]).map(([key, value]) => [key, String(value)]);
    assert.deepEqual(declared, real, name);
    assert.ok(Object.isFrozen(require('openim-node')[name]), name);
  }
});

const ADMIN = `
  const server = await DevServer.start();
  const admin = await Admin.open({ apiAddr: server.addresses.apiAddr, secret: 'openIM123' });
  await admin.registerUsers([{ userID: 'alice', nickname: 'Alice' }]);
  const [{ nickname }] = await admin.getUsersInfo(['alice']);
  await server.stop();
  console.log(nickname);
`;

test('the sub-path admin is installed, for require and for import', () => {
  const code = {
    'admin.cjs': `
      const { DevServer } = require('openim-node');
      const { Admin } = require('openim-node/admin');
      (async () => { ${ADMIN} })();
    `,
    'admin.mjs': `import { DevServer } from 'openim-node'; import { Admin } from 'openim-node/admin'; ${ADMIN}`,
  };
  for (const [file, text] of Object.entries(code)) {
    writeFileSync(join(project, file), text);
    assert.deepEqual(run(process.execPath, [file]), { status: 0, stdout: 'Alice\n', stderr: '' }, file);
  }
});

test('the command is installed', () => {
  const bin = join(project, 'node_modules', '.bin', 'openim-dev-server');
  const { status, stdout } = run(bin, ['--version'], { shell: process.platform === 'win32' });
  assert.deepEqual([status, stdout.trim()], [0, manifest.version]);
});

test('without the binary package there is one error that says how to repair', () => {
  const lone = mkdtempSync(join(tmpdir(), 'openim-node-lone-'));
  try {
    const installed = join('node_modules', 'openim-node');
    cpSync(join(project, installed), join(lone, installed), { recursive: true });
    const { status, stderr } = run(process.execPath, ['-e', "require('openim-node')"], { cwd: lone });
    assert.equal(status, 1);
    const repair = `npm install ${platformPackage}@${manifest.version}`;
    for (const part of [target, `package: ${platformPackage}`, 'tried:', 'reason:', repair]) {
      assert.ok(stderr.includes(part), `${part} is missing in ${stderr}`);
    }
    const admin = run(process.execPath, ['-p', "typeof require('openim-node/admin').Admin"], { cwd: lone });
    assert.deepEqual(admin, { status: 0, stdout: 'function\n', stderr: '' }, 'which needs no binary');
  } finally {
    rmSync(lone, { recursive: true, force: true });
  }
});

test('the tarball has what users need and nothing else', () => {
  const folders = new Set(files.map((file) => file.split('/')[0]));
  assert.deepEqual([...folders].sort(), [
    'CHANGELOG.md', 'LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'admin', 'bin', 'examples',
    'index.d.mts', 'index.d.ts', 'index.js', 'index.mjs', 'js', 'package.json',
  ]);
  assert.deepEqual(files.filter((file) => file.endsWith('.node')), [], 'the binary is a package of its own');
});
