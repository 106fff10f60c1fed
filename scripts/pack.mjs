// Tarballs of the main package and of the package that holds this platform's binary, as they are published.
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { addonFile } from './prepare.mjs';
import { root, tool } from './run.mjs';

/** Where the folders of the binary packages are made. */
const PLATFORMS = join(root, 'target', 'npm');

function quietly(command, args, cwd = root) {
  const shell = process.platform === 'win32' && command === 'npm';
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8', shell });
  if (status !== 0) throw new Error(`${[command, ...args].join(' ')}: ${stderr || stdout}`);
  return stdout;
}

/** Packs a folder, named relative to the repository, into `destination` and returns the path of the tarball. */
export function pack(folder, destination) {
  const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination];
  return join(destination, JSON.parse(quietly('npm', args, resolve(root, folder)))[0].filename);
}

/** Packs the binary package of this platform into `destination` and returns the path of the tarball. */
export function packPlatform(destination) {
  const dirs = ['create-npm-dirs', '--npm-dir', relative(root, PLATFORMS)];
  quietly(process.execPath, [tool('@napi-rs/cli', 'napi'), ...dirs]);
  const target = basename(addonFile).split('.').at(-2);
  const folder = join(PLATFORMS, target);
  cpSync(addonFile, join(folder, basename(addonFile)));
  return pack(folder, destination);
}
