// Ten defects made on purpose, each one rule of the sync code dropped, and whether the tests notice. Not part of npm
// test: every defect is a build of its own.
//
//   node scripts/mutations.mjs [--everything] [WORD ...]
//
// Works on a copy of the sources in target/mutations; the tree is never touched. With words only the mutations whose
// rule contains one of them. --everything runs both kinds of tests on each, instead of the one that is named for it.
// Exits with 1 if a mutation is missed, or if its text is no longer in the sources.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { root } from './run.mjs';

const SYNC = 'crates/openim-core/src/sync';

/**
 * What is broken: the rule, the file, the text that keeps the rule and the one that drops it, and the test that must
 * notice: `model`, the property and unit tests in `sync` of openim-core, `chaos`, __test__/scenarios/chaos.spec.mjs, or
 * `scenarios`, stories that happen too rarely by chance.
 */
export const MUTATIONS = [
  {
    rule: 'what lies between the newest seq and a push is a gap',
    file: `${SYNC}/gaps.rs`,
    from: 'if begin > self.local_max + 1 {',
    to: 'if begin > self.local_max + 1_000_000 {',
    noticedBy: 'model',
  },
  {
    rule: 'a message that is known already is no news',
    file: `${SYNC}/inbound.rs`,
    from: 'return self.known(&row);',
    to: 'self.known(&row)?;',
    noticedBy: 'model',
  },
  {
    rule: 'an own message that comes back is its acknowledgement',
    file: `${SYNC}/inbound.rs`,
    from: 'Some(known) if known.place != 0 => self.arrived(known, row),',
    to: 'Some(known) if known.place != 0 => Ok(()),',
    noticedBy: 'model',
  },
  {
    rule: 'a placeholder of the server is a hole and no message',
    file: `${SYNC}/inbound.rs`,
    from: 'if message.status >= status::DELETED {',
    to: 'if message.status > status::DELETED {',
    noticedBy: 'chaos',
  },
  {
    rule: 'what is read is not unread',
    file: `${SYNC}/unread.rs`,
    from: 'row.has_read_seq.max(row.read_floor)',
    to: 'row.read_floor',
    noticedBy: 'model',
  },
  {
    rule: 'the latest message is the newest one that is stored',
    file: `${SYNC}/changes.rs`,
    from: 'row.latest_message = messages::newest_visible(self.connection, row.id)?;',
    to: 'if row.latest_message == 0 { row.latest_message = messages::newest_visible(self.connection, row.id)?; }',
    noticedBy: 'model',
  },
  {
    rule: 'the cursor of a notification stream does not pass a gap',
    file: `${SYNC}/notifications.rs`,
    from: 'if message.seq == cursor + 1 {',
    to: 'if message.seq > cursor {',
    noticedBy: 'model',
  },
  {
    rule: 'what was missed between two connections of a session is fetched whole',
    file: 'crates/openim-core/src/pull.rs',
    from: 'let count = if again || doubtful',
    to: 'let count = if doubtful',
    noticedBy: 'chaos',
  },
  {
    rule: 'what is pushed during the first sync of a device is no news',
    file: 'crates/openim-core/src/listen.rs',
    from: 'if new_device.load(Ordering::SeqCst) {',
    to: 'if false && new_device.load(Ordering::SeqCst) {',
    noticedBy: 'scenarios',
  },
  {
    rule: 'the server is told what was read while there was no connection',
    file: 'crates/openim-core/src/conversation.rs',
    from: 'if before.read_waits || read > seqs.has_read_seq {',
    to: 'if before.read_waits && read < 0 {',
    noticedBy: 'scenarios',
  },
];

/** Why a mutation cannot be made; empty if it can. */
export function unfit({ file, from }) {
  const count = readFileSync(join(root, file), 'utf8').split(from).length - 1;
  return count === 1 ? '' : `${file} has ${count} times: ${from}`;
}

const MODEL = ['cargo', 'test', '--profile', 'ci', '-p', 'openim-core', '--lib'];

/** Each kind of test: how it is built, and how it is run. */
const TESTS = {
  model: { build: [...MODEL, '--no-run'], test: [...MODEL, 'sync::'] },
  chaos: {
    build: [process.execPath, 'scripts/prepare.mjs'],
    // ends what hangs by itself: killing the runner would leave it behind
    test: [process.execPath, '--test', '--test-timeout=150000', '__test__/scenarios/chaos.spec.mjs'],
  },
  scenarios: {
    build: [process.execPath, 'scripts/prepare.mjs'],
    test: [process.execPath, '--test', '--test-timeout=60000', '__test__/login.spec.mjs', '__test__/scenarios/server_restart.spec.mjs'],
  },
};

/** No test may hang for longer; a build may take its time. */
const PATIENCE_MS = { test: 180_000, build: 1_800_000 };

const copy = join(root, 'target', 'mutations');
/** Kept for the next time, and apart: to cargo the copy and the original are the same package. */
const built = join(root, 'target', 'mutations-build');

function run([command, ...args], timeout) {
  return spawnSync(command, args, {
    cwd: copy,
    encoding: 'utf8',
    timeout,
    maxBuffer: 2 ** 28,
    killSignal: 'SIGKILL',
    env: { ...process.env, CARGO_TARGET_DIR: built, CHAOS_SEEDS: '12' },
  });
}

/** The sources as they are now, with everything that is installed. */
function copySources() {
  rmSync(copy, { recursive: true, force: true });
  const { stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root, encoding: 'utf8',
  });
  for (const path of stdout.split('\0').filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    cpSync(join(root, path), join(copy, path), { preserveTimestamps: true });
  }
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'), 'junction');
}

/** What a kind of test says when it fails on what the copy holds now; empty if it passes. */
function complaint(kind) {
  const { build, test } = TESTS[kind];
  const making = run(build, PATIENCE_MS.build);
  // what does not compile proves nothing
  if (making.status !== 0) throw new Error(`cannot be built\n${making.stderr}`);
  const { status, stdout, stderr } = run(test, PATIENCE_MS.test);
  return status === 0 ? '' : `${stdout}\n${stderr}`;
}

function main() {
  const { values: { everything }, positionals: words } = parseArgs({
    options: { everything: { type: 'boolean', default: false } }, allowPositionals: true,
  });
  const chosen = MUTATIONS.filter(({ rule }) => words.length === 0 || words.some((word) => rule.includes(word)));
  const reasons = chosen.map(unfit).filter((reason) => reason !== '');
  if (reasons.length > 0) {
    console.error(reasons.join('\n'));
    return 1;
  }
  copySources();
  for (const kind of new Set(everything ? Object.keys(TESTS) : chosen.map(({ noticedBy }) => noticedBy))) {
    const reason = complaint(kind);
    if (reason !== '') throw new Error(`${kind} fails without a mutation\n${reason}`);
    console.log(`passes as it is: ${kind}`);
  }
  let missed = 0;
  for (const { rule, file, from, to, noticedBy } of chosen) {
    const path = join(copy, file);
    const sources = readFileSync(path, 'utf8');
    writeFileSync(path, sources.replace(from, () => to));
    const kinds = everything ? Object.keys(TESTS) : [noticedBy];
    const noticing = kinds.filter((kind) => complaint(kind) !== '');
    writeFileSync(path, sources);
    if (noticing.length === 0) missed += 1;
    console.log(noticing.length > 0 ? `caught by ${noticing.join(' and ')}: ${rule}` : `MISSED: ${rule}`);
  }
  return missed === 0 ? 0 : 1;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) process.exit(main());
