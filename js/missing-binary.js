'use strict';

const { existsSync } = require('node:fs');
const { join } = require('node:path');
const { version } = require('../package.json');
const { OpenIMError } = require('./errors');

/** Targets that have a binary package; the suffix is the package's and the file's. */
const TARGETS = [
  'linux-x64-gnu', 'linux-arm64-gnu', 'linux-x64-musl', 'darwin-x64', 'darwin-arm64', 'win32-x64-msvc',
];

const root = join(__dirname, '..');

function isMusl() {
  const report = process.report?.getReport();
  const { header } = typeof report === 'string' ? JSON.parse(report) : report ?? {};
  return header !== undefined && header.glibcVersionRuntime === undefined;
}

/** The target that this process needs, such as `linux-x64-gnu`. */
function currentTarget({ platform, arch } = process, musl = isMusl) {
  if (platform === 'linux') return `linux-${arch}-${musl() ? 'musl' : 'gnu'}`;
  return platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`;
}

/** The failures worth telling: that a package of another C library is not there is no reason. */
function reasons(failures, name) {
  const told = failures.filter(({ code, message }) => code !== 'MODULE_NOT_FOUND' || message.includes(name));
  return (told.length > 0 ? told : failures).map(({ message }) => message.split('\n')[0]);
}

const inSources = () => existsSync(join(root, 'Cargo.toml'));

/** One error with all that is needed to repair an installation whose native binary cannot be loaded. */
function missingBinary(failures, target = currentTarget(), here = { version, inSources: inSources() }) {
  const name = `openim-node-${target}`;
  const override = process.env.NAPI_RS_NATIVE_LIBRARY_PATH;
  const tried = override
    ? `${override} (from NAPI_RS_NATIVE_LIBRARY_PATH)`
    : `${join(root, `openim-node.${target}.node`)}, the package ${name}`;
  const repair = here.inSources
    ? 'this is a source tree: build the addon with "npm run build"'
    : `install it with "npm install ${name}@${here.version}"; a lock file or node_modules from another platform, and `
      + 'the npm options --omit=optional and --no-optional, keep it out';
  const supported = TARGETS.includes(target);
  const lines = [
    `openim-node has no native binary for ${target} (Node ${process.versions.node}) that could be loaded`,
    supported ? `package: ${name}` : `package: none, as the supported targets are ${TARGETS.join(', ')}`,
    `tried: ${tried}`,
    `reason: ${reasons(failures, name).join('; ')}`,
    ...(supported ? [`repair: ${repair}`] : []),
  ];
  const record = { code: 'OPENIM_BINARY_MISSING', errCode: 10301, errMsg: lines.join('\n  ') };
  return new OpenIMError(record, { cause: failures[0] });
}

module.exports = { currentTarget, missingBinary };
