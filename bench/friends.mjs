// A user with 20,000 friends: the first sync of a device, one change, a page, the whole list, a search.
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { OpenIM, Platform } from 'openim-node';

const FRIENDS = 20_000;
/** Most that the server takes at once. */
const PER_CALL = 1000;
const REPETITIONS = 100;
const OWNER = 'popular';

/** Median time of a call, ms. */
async function median(repetitions, call) {
  const times = [];
  for (let i = 0; i < repetitions; i++) {
    const before = performance.now();
    await call(i);
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b)[Math.floor(repetitions / 2)];
}

export async function benchFriends(server, folder) {
  const friends = Array.from({ length: FRIENDS }, (_, i) => `friend${i}`);
  await server.register([OWNER]);
  for (let at = 0; at < FRIENDS; at += PER_CALL) {
    const some = friends.slice(at, at + PER_CALL);
    await server.register(some);
    await server.admin.importFriends({ ownerUserID: OWNER, friendUserIDs: some });
  }
  const client = await OpenIM.open({ ...server.addresses, platformID: Platform.Linux, dataDir: join(folder, OWNER) });
  const begun = performance.now();
  await client.login({ userID: OWNER, token: await server.token(OWNER), waitUntil: 'synced' });
  const figures = { friends: FRIENDS, firstSyncMs: performance.now() - begun };
  const all = await client.getFriendList();
  if (all.length !== FRIENDS) throw new Error(`${all.length} of ${FRIENDS} friends`);
  figures.changeMs = await median(REPETITIONS, (i) => (
    client.updateFriends({ friendUserIDs: [friends[i * 7]], remark: `remark ${i}` })
  ));
  figures.firstPageOf100Ms = await median(REPETITIONS, () => client.getFriendListPage({ offset: 0, count: 100 }));
  figures.lastPageOf100Ms = await median(REPETITIONS, () => (
    client.getFriendListPage({ offset: FRIENDS - 100, count: 100 })
  ));
  figures.wholeListMs = await median(10, () => client.getFriendList());
  figures.searchMs = await median(10, (i) => (
    client.searchFriends({ keywordList: [`D${i}9`], isSearchNickname: true, isSearchUserID: true, isSearchRemark: true })
  ));
  await client.close();
  return figures;
}
