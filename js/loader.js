'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');

/**
 * The targets that may fit this process, in the order in which they are tried; each is the suffix of a package's and of
 * a file's name. On Linux both C libraries are: an addon for the other one does not load, and finding out which one runs
 * here costs more than trying.
 */
function targets({ platform, arch } = process) {
  if (platform === 'linux') return [`linux-${arch}-gnu`, `linux-${arch}-musl`];
  return [platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`];
}

/** What can be required, in order: a file beside the sources, then the package of the platform. */
function candidates(suffixes = targets(), exists = existsSync) {
  const override = process.env.NAPI_RS_NATIVE_LIBRARY_PATH;
  if (override) return [override];
  return suffixes.flatMap((target) => {
    const file = join(root, `openim-node.${target}.node`);
    return exists(file) ? [file, `openim-node-${target}`] : [`openim-node-${target}`];
  });
}

/** The native addon: the first candidate that loads. Where none does, one error says what is missing and why. */
function load(names = candidates(), requireOne = require) {
  const failures = [];
  for (const name of names) {
    try {
      return requireOne(name);
    } catch (error) {
      failures.push(error);
    }
  }
  throw require('./missing-binary').missingBinary(failures);
}

module.exports = {
  /** The native addon; loaded when first asked for. */
  get binding() {
    const value = load();
    Object.defineProperty(module.exports, 'binding', { value });
    return value;
  },
  candidates,
  load,
  targets,
};
