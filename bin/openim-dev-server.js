#!/usr/bin/env node
'use strict';

const { parseArgs } = require('node:util');
const { version } = require('../package.json');

const USAGE = `\
usage: openim-dev-server [options]

A complete OpenIM server in one process, for trying, testing and working offline.

  --api HOST:PORT       REST API           127.0.0.1:10002
  --ws HOST:PORT        message gateway    127.0.0.1:10001
  --account HOST:PORT   account interfaces 127.0.0.1:42233
  --secret SECRET       key of the tokens, password of the administrator (openIM123)
  --admin ID            user id of the administrator (imAdmin)
  --data DIR            keep everything in a folder
  --memory              keep everything in memory (default)
  --multi-login P[:N]   which older logins a new one ends: 0 none, but N tokens per platform (30); 1 those of
                        the platform (default); 4 those of the class; 5 all but those of PCs
  --friend-verify       refuse messages to users who do not have the sender in their friend list
  --allow-remote        allow an address that other machines reach; needs a secret of your own
  --json                one line with the addresses when ready
  --version, --help

Port 0 picks a free one. The three listeners share one host. SIGINT and SIGTERM stop the server.`;

const OPTIONS = {
  api: { type: 'string' },
  ws: { type: 'string' },
  account: { type: 'string' },
  secret: { type: 'string', default: 'openIM123' },
  admin: { type: 'string', default: 'imAdmin' },
  data: { type: 'string' },
  memory: { type: 'boolean', default: false },
  'multi-login': { type: 'string' },
  'friend-verify': { type: 'boolean', default: false },
  'allow-remote': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
};

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORTS = { api: 10002, ws: 10001, account: 42233 };

/** Splits `HOST:PORT`; IPv6 addresses stand in brackets. */
function parseAddress(option, text) {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (!match || Number(match[3]) > 65535) throw new Error(`--${option}: ${text} is not HOST:PORT`);
  return { host: match[1] ?? match[2], port: Number(match[3]) };
}

/** Splits `POLICY[:TOKENS]`; the server knows which policies there are. */
function parseMultiLogin(text) {
  const match = /^(\d{1,3})(?::(\d{1,6}))?$/.exec(text);
  if (!match) throw new Error(`--multi-login: ${text} is not POLICY or POLICY:TOKENS`);
  const [, policy, tokens] = match;
  return { policy: Number(policy), ...(tokens === undefined ? {} : { maxNumOneEnd: Number(tokens) }) };
}

/** The configuration of `DevServer.start` that the options ask for. */
function readConfig(values) {
  if (values.memory && values.data !== undefined) throw new Error('--memory and --data exclude each other');
  const given = Object.keys(DEFAULT_PORTS)
    .filter((option) => values[option] !== undefined)
    .map((option) => ({ option, ...parseAddress(option, values[option]) }));
  const hosts = new Set(given.map(({ host }) => host));
  if (hosts.size > 1) throw new Error(`the three listeners share one host, not ${[...hosts].join(' and ')}`);
  const ports = { ...DEFAULT_PORTS, ...Object.fromEntries(given.map(({ option, port }) => [option, port])) };
  return {
    host: given[0]?.host ?? DEFAULT_HOST,
    apiPort: ports.api,
    wsPort: ports.ws,
    accountPort: ports.account,
    secret: values.secret,
    adminUserID: values.admin,
    friendVerify: values['friend-verify'],
    allowRemote: values['allow-remote'],
    ...(values['multi-login'] === undefined ? {} : { multiLogin: parseMultiLogin(values['multi-login']) }),
    ...(values.data === undefined ? {} : { dataDir: values.data }),
  };
}

function banner({ apiAddr, wsAddr, accountAddr }, { secret, adminUserID, dataDir }) {
  const shown = secret === OPTIONS.secret.default ? secret : 'YOUR SECRET';
  const body = JSON.stringify({ secret: shown, userID: adminUserID });
  return `\
openim-dev-server ${version} is ready, data in ${dataDir ?? 'memory'}

  REST API  ${apiAddr}
  gateway   ${wsAddr}
  accounts  ${accountAddr}

Next, get a token of the administrator:

  curl -H 'operationID: first-try' -d '${body}' ${apiAddr}/auth/get_admin_token
`;
}

/** Resolves with the first signal that asks the process to end. */
function stopRequested() {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, resolve);
  });
}

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help) return console.log(USAGE);
  if (values.version) return console.log(version);
  const config = readConfig(values);
  const { DevServer } = require('..');
  const stop = stopRequested();
  const server = await DevServer.start(config);
  console.log(values.json ? JSON.stringify(server.addresses) : banner(server.addresses, config));
  await stop;
  await server.stop();
}

main().catch((error) => {
  console.error(`openim-dev-server: ${error.message}`);
  process.exitCode = 1;
});
