// Brings a clone to where its scripts can run: installs node_modules and builds the addon when they are missing or
// older than what they are made from.
//
//   node scripts/prepare.mjs [--profile ci|release]
//
// Any addon will do for tests; benchmarks and packages need the release build.
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root, run, tool } from './run.mjs';

const require = createRequire(import.meta.url);
const { currentTarget } = require('../js/missing-binary.js');

/** What the addon is made from. */
const SOURCES = ['Cargo.toml', 'Cargo.lock', 'build.rs', 'rust-toolchain.toml', '.cargo', 'src', 'crates'];
const STAMP = join(root, 'target', 'addon.json');

/** The addon's file for the platform of this process. */
export const addonFile = join(root, `openim-node.${currentTarget()}.node`);

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** When the newest file below a path was changed. */
function newest(path) {
  if (!existsSync(path)) return 0;
  if (!statSync(path).isDirectory()) return modified(path);
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(STAMP, 'utf8'));
  } catch {
    return { profile: '', startedAt: 0 };
  }
}

/** The profile that the addon was built with; empty if there is none. */
export const builtProfile = () => (existsSync(addonFile) ? readStamp().profile : '');

function installed() {
  return modified(join(root, 'node_modules', '.package-lock.json')) >= modified(join(root, 'package-lock.json'));
}

function built(profile) {
  const stamp = readStamp();
  if (stamp.profile !== profile && (stamp.profile !== 'release' || profile !== 'ci')) return false;
  if (!existsSync(addonFile)) return false;
  return Math.max(...SOURCES.map((source) => newest(join(root, source)))) < stamp.startedAt;
}

function build(profile) {
  const startedAt = Date.now();
  run(process.execPath, [
    tool('@napi-rs/cli', 'napi'), 'build', '--platform', '--profile', profile,
    '--no-js', '--dts', 'target/binding.d.ts', '-o', '.',
  ]);
  mkdirSync(dirname(STAMP), { recursive: true });
  writeFileSync(STAMP, `${JSON.stringify({ profile, startedAt })}\n`);
}

export function prepare(profile = 'ci') {
  if (!installed()) run('npm', ['ci']);
  if (!built(profile)) build(profile);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  prepare(parseArgs({ options: { profile: { type: 'string', default: 'ci' } } }).values.profile);
}
