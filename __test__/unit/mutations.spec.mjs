// The list of scripts/mutations.mjs names texts of the sources; it must not rot while nobody runs it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MUTATIONS, unfit } from '../../scripts/mutations.mjs';

test('every mutation can be made', () => {
  assert.deepEqual(MUTATIONS.map(unfit).filter((reason) => reason !== ''), []);
  assert.equal(new Set(MUTATIONS.map(({ rule }) => rule)).size, 10);
});
