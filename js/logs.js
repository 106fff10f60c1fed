'use strict';

const { binding } = require('./loader');
const { readAnswer, toText } = require('./call');
const { func, integer, oneOf, optional, params, string } = require('./validate');

const LEVELS = ['off', 'error', 'warn', 'info', 'debug', 'trace'];

const checkConfig = params({
  logLevel: optional(oneOf(...LEVELS)),
  logDir: optional(string),
  maxFileBytes: optional(integer),
  maxFiles: optional(integer),
  onLog: optional(func),
});

/**
 * Takes records until there are none left; a batch per turn of the loop, so that logging never blocks it. What a
 * listener throws surfaces like any listener's: it must not cost the records that follow.
 */
function drain(onLog) {
  const batch = binding.takeLogs();
  if (batch === null) return;
  for (const record of JSON.parse(batch)) {
    try {
      onLog(record);
    } catch (error) {
      process.nextTick(() => { throw error; });
    }
  }
  setImmediate(drain, onLog);
}

/** Replaces the logging of this process. */
async function configureLogs(config) {
  checkConfig(config);
  const { onLog, ...rest } = config;
  const onRecords = onLog === undefined ? undefined : () => drain(onLog);
  readAnswer(await binding.configureLogs(toText(rest), onRecords));
}

const checkPath = optional(string);

/** Writes what the log files hold into one gzip file; its path. */
async function exportLogs(path) {
  checkPath(path, 'path');
  return readAnswer(await binding.exportLogs(toText(path)));
}

module.exports = { configureLogs, exportLogs };
