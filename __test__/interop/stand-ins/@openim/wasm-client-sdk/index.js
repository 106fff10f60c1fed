// The Electron SDK takes the names of events and the numbers of log levels from this package, which its manifest does not
// install. An event's key is its name.
'use strict';

const names = new Proxy({}, { get: (_target, key) => (typeof key === 'string' ? key : undefined) });

module.exports = {
  CbEvents: names,
  SdkEvent: names,
  LogLevel: { Panic: 0, Fatal: 1, Error: 2, Warn: 3, Info: 4, Debug: 5, Verbose: 6 },
};
