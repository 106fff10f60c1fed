// This package, behind the same face.
import { OpenIM, Platform, sdkVersion } from 'openim-node';
import events from '../../../js/events.js';
import { Timeline } from '../timeline.mjs';
import { face } from './face.mjs';

export const platformID = Platform.Linux;

export async function open({ label, userID, token, addresses }) {
  const client = await OpenIM.open({ ...addresses, platformID, dataDir: ':memory:' });
  const timeline = new Timeline();
  for (const event of Object.values(events.EVENTS).flat()) client.on(event, (data) => timeline.add(event, data));
  return {
    label,
    userID,
    timeline,
    version: sdkVersion,
    ...face(async (method, params) => client[method](params)),
    login: () => client.login({ userID, token }),
    close: () => client.close(),
  };
}
