'use strict';

const { argsError } = require('./errors');

/**
 * Checks of the shape of what callers pass, so that a mistake is answered with the name of the field. A check is a
 * function `(value, field)` that throws. Rules of IM (which users, which sizes, which states) are the core's.
 */

const is = (test, expected) => (value, field) => {
  if (!test(value)) throw argsError(field, `must be ${expected}`);
};

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

const string = is((value) => typeof value === 'string', 'a string');
const nonEmpty = is((value) => typeof value === 'string' && value !== '', 'a string that is not empty');
const boolean = is((value) => typeof value === 'boolean', 'a boolean');
const func = is((value) => typeof value === 'function', 'a function');
const number = is(Number.isFinite, 'a number');

function integer(value, field) {
  number(value, field);
  if (!Number.isSafeInteger(value)) throw argsError(field, 'must be an integer');
}

function positive(value, field) {
  integer(value, field);
  if (value < 1) throw argsError(field, 'must be positive');
}

function oneOf(...values) {
  const shown = values.map((value) => (typeof value === 'string' ? `'${value}'` : value));
  return is((value) => values.includes(value), `one of ${shown.join(', ')}`);
}

const optional = (check) => (value, field) => {
  if (value !== undefined) check(value, field);
};

const arrayOf = (check) => (value, field) => {
  if (!Array.isArray(value)) throw argsError(field, 'must be an array');
  value.forEach((item, index) => check(item, `${field}[${index}]`));
};

/** One value, or a list of them. */
const oneOrMany = (check) => (value, field) => (Array.isArray(value) ? arrayOf(check) : check)(value, field);

/** An object whose listed fields pass their checks; other fields are left to the core. */
const object = (fields) => (value, path) => {
  if (!isObject(value)) throw argsError(path, 'must be an object');
  for (const [name, check] of Object.entries(fields)) check(value[name], `${path}.${name}`);
};

/** The parameter object of a call: its fields are named without a prefix. */
const params = (fields) => (value) => {
  if (!isObject(value)) throw argsError('params', 'must be an object');
  for (const [name, check] of Object.entries(fields)) check(value[name], name);
};

/** A call that takes one bare value instead of a parameter object. */
const value = (name, check) => (given) => check(given, name);

const isAbortSignal = is(
  (value) => isObject(value) && typeof value.aborted === 'boolean' && typeof value.addEventListener === 'function',
  'an AbortSignal',
);

/** The last argument of every call. */
const options = object({
  signal: optional(isAbortSignal),
  operationID: optional(string),
});

module.exports = {
  arrayOf, boolean, func, integer, nonEmpty, number, object, oneOf, oneOrMany, optional, options, params, positive, string,
  value,
};
