// Worker thread: takes the logs of the process and waits to be terminated.
import { parentPort, workerData } from 'node:worker_threads';
import { OpenIM } from 'openim-node';

await OpenIM.configureLogs({ logDir: workerData.logDir, logLevel: 'debug', onLog() {} });
parentPort.postMessage('configured');
setInterval(() => {}, 1000);
