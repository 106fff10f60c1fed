// The addon's size against its bound. A release build fails above it; other builds are only told.
import { statSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { addonFile, builtProfile } from './prepare.mjs';

/** Bytes of the release build, with the dev server inside. */
export const MAX_BYTES = 8 * 1024 * 1024;

/** What the addon weighs, whether that counts, and whether it is too much. */
export function measure() {
  const bytes = statSync(addonFile).size;
  const counts = builtProfile() === 'release';
  return { bytes, counts, ok: !counts || bytes <= MAX_BYTES };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { bytes, counts, ok } = measure();
  const megabytes = (bytes / 1024 / 1024).toFixed(1);
  const verdict = counts ? `${ok ? 'PASS' : 'FAIL'} (at most 8 MB)` : 'not a release build, its size does not count';
  console.log(`addon ${megabytes} MB: ${verdict}`);
  process.exitCode = ok ? 0 : 1;
}
