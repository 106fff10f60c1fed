import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import loader from '../../js/loader.js';
import { currentTarget, missingBinary } from '../../js/missing-binary.js';

const { candidates, load, targets } = loader;
const { version, napi } = createRequire(import.meta.url)('../../package.json');

test('the target is named as its package is', () => {
  const target = (platform, arch, musl = false) => currentTarget({ platform, arch }, () => musl);
  assert.equal(target('linux', 'x64'), 'linux-x64-gnu');
  assert.equal(target('linux', 'x64', true), 'linux-x64-musl');
  assert.equal(target('linux', 'arm64'), 'linux-arm64-gnu');
  assert.equal(target('darwin', 'arm64'), 'darwin-arm64');
  assert.equal(target('win32', 'x64'), 'win32-x64-msvc');
});

test('what cannot be loaded is one error with platform, package, attempts, reason and repair', () => {
  const broken = new Error('GLIBC_2.99 not found\nRequire stack');
  const absent = Object.assign(new Error("Cannot find module 'openim-node-linux-x64-musl'"), { code: 'MODULE_NOT_FOUND' });
  const error = missingBinary([broken, absent], 'linux-x64-gnu', { version: '1.2.3', inSources: false });
  assert.equal(error.code, 'OPENIM_BINARY_MISSING');
  assert.equal(error.cause, broken);
  const lines = error.message.split('\n').map((line) => line.trim());
  assert.match(lines[0], /no native binary for linux-x64-gnu \(Node \d+/);
  assert.equal(lines[1], 'package: openim-node-linux-x64-gnu');
  assert.match(lines[2], /^tried: .*openim-node\.linux-x64-gnu\.node, the package openim-node-linux-x64-gnu$/);
  assert.equal(lines[3], 'reason: GLIBC_2.99 not found');
  assert.match(lines[4], /^repair: install it with "npm install openim-node-linux-x64-gnu@1\.2\.3"/);
});

test('in a source tree the repair is a build', () => {
  const error = missingBinary([new Error('x')], 'linux-x64-gnu', { version, inSources: true });
  assert.match(error.message, /repair: .*npm run build/);
});

test('an unsupported platform is told which are supported, and no repair', () => {
  const error = missingBinary([new Error('x')], 'freebsd-x64');
  assert.match(error.message, /package: none, as the supported targets are linux-x64-gnu, /);
  assert.doesNotMatch(error.message, /repair:/);
});

test('a binary named by the environment is what was tried', (t) => {
  process.env.NAPI_RS_NATIVE_LIBRARY_PATH = '/elsewhere/addon.node';
  t.after(() => delete process.env.NAPI_RS_NATIVE_LIBRARY_PATH);
  const { message } = missingBinary([new Error('x')]);
  assert.match(message, /tried: \/elsewhere\/addon\.node \(from NAPI_RS_NATIVE_LIBRARY_PATH\)/);
});

test('the first candidate that loads is taken; where none does, the first failure is the cause', () => {
  const failures = { a: new Error('broken'), b: new Error('absent') };
  const binding = {};
  const requireOne = (name) => {
    if (failures[name]) throw failures[name];
    return binding;
  };
  assert.equal(load(['a', 'b', 'c'], requireOne), binding);
  assert.throws(() => load(['a', 'b'], requireOne), { code: 'OPENIM_BINARY_MISSING', cause: failures.a });
});

test('a file beside the sources goes before the package; on Linux both C libraries are tried', () => {
  assert.deepEqual(targets({ platform: 'linux', arch: 'x64' }), ['linux-x64-gnu', 'linux-x64-musl']);
  assert.deepEqual(targets({ platform: 'darwin', arch: 'arm64' }), ['darwin-arm64']);
  assert.deepEqual(targets({ platform: 'win32', arch: 'x64' }), ['win32-x64-msvc']);
  const names = candidates(['linux-x64-gnu', 'linux-x64-musl'], (file) => file.endsWith('gnu.node'));
  assert.match(names[0], /openim-node\.linux-x64-gnu\.node$/);
  assert.deepEqual(names.slice(1), ['openim-node-linux-x64-gnu', 'openim-node-linux-x64-musl']);
});

test('every target that is published is supported by the loader', () => {
  const suffix = {
    'x86_64-unknown-linux-gnu': 'linux-x64-gnu',
    'aarch64-unknown-linux-gnu': 'linux-arm64-gnu',
    'x86_64-unknown-linux-musl': 'linux-x64-musl',
    'x86_64-apple-darwin': 'darwin-x64',
    'aarch64-apple-darwin': 'darwin-arm64',
    'x86_64-pc-windows-msvc': 'win32-x64-msvc',
  };
  const supported = (target) => !/package: none/.test(missingBinary([new Error('x')], target).message);
  assert.deepEqual(napi.targets.filter((target) => !supported(suffix[target])), []);
});
