// Numbers that look random and come again with their seed.
import { randomInt } from 'node:crypto';

/** The seed of this run: `SEED`, or one that is drawn. */
export const drawSeed = () => Number(process.env.SEED ?? randomInt(2 ** 32));

/** A generator: `next(n)` is an integer from 0 to n - 1, `pick(list)` one of its elements. */
export function random(seed) {
  let state = seed >>> 0;
  const next = (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
  return { next, pick: (list) => list[next(list.length)] };
}
