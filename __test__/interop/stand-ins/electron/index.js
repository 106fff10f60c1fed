// What the published Electron SDK's main-process half uses of Electron, so that it runs in plain Node: one IPC handler,
// which is called here directly, and the power monitor, which never tells anything.
'use strict';

let handler;

module.exports = {
  ipcMain: {
    handle(_channel, listener) { handler = listener; },
    removeHandler() { handler = undefined; },
  },
  powerMonitor: { on() {}, removeListener() {} },
  /** Not of Electron: calls the handler as a renderer would. */
  invoke: (method, ...args) => handler({}, method, ...args),
};
