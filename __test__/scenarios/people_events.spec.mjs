// What each device hears of people, line by line: online, after a long absence, and beside the recorded clients.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Platform } from 'openim-node';
import { befriend } from '../support/people.mjs';
import { openAdmin } from '../support/servers.mjs';
import { forward } from '../support/stub-api.mjs';
import { World, say, settled } from '../support/world.mjs';

/** More changes to each list than the server tells one by one; then a client reads the list anew (http.md 3.2). */
const MANY = 205;

const isOfPeople = ([name]) => /^On(Friend|Black|SelfInfo)/.test(name);

/** What a device heard of people: the event, and whom it is about or how it was answered. */
const heard = ({ recording }, about) => recording.events.filter(isOfPeople)
  .filter(([, payload]) => about === undefined || about(payload))
  .map(([name, { userID, fromUserID, handleResult }]) => [name, fromUserID === undefined ? userID : handleResult]);

/** Once a device has applied everything that was pushed to it, and what that made it ask for. */
async function calm(device, other) {
  await settled(other, device);
  await device.client.getSpecifiedFriendsInfo({ friendUserIDList: ['nobody_at_all'] });
}

const apply = ({ alice, bob }) => alice.client.addFriend({ toUserID: bob.id, reqMsg: 'it is me' });

/**
 * The lines of client-behaviour 5.7: what must be true before, what alice or bob does, and what every device of each of
 * them hears, whether it is there or comes back later.
 */
const LINES = [
  {
    line: 'a profile is edited',
    before: ({ alice, bob }) => befriend(alice, bob),
    act: ({ alice }) => alice.client.setSelfInfo({ nickname: 'Alicia' }),
    alice: [['OnSelfInfoUpdated', 'alice']],
    bob: [['OnFriendInfoChanged', 'alice']],
  },
  {
    line: 'alice applies',
    act: apply,
    alice: [['OnFriendApplicationAdded', 0]],
    bob: [['OnFriendApplicationAdded', 0]],
  },
  {
    line: 'bob accepts',
    before: apply,
    act: ({ alice, bob }) => bob.client.acceptFriendApplication({ toUserID: alice.id }),
    alice: [['OnFriendApplicationAccepted', 1], ['OnFriendAdded', 'bob']],
    bob: [['OnFriendApplicationAccepted', 1], ['OnFriendAdded', 'alice']],
  },
  {
    line: 'bob refuses',
    before: apply,
    act: ({ alice, bob }) => bob.client.refuseFriendApplication({ toUserID: alice.id }),
    alice: [['OnFriendApplicationRejected', -1]],
    bob: [['OnFriendApplicationRejected', -1]],
  },
  {
    line: 'alice deletes a friend',
    before: ({ alice, bob }) => befriend(alice, bob),
    act: ({ alice, bob }) => alice.client.deleteFriend(bob.id),
    alice: [['OnFriendDeleted', 'bob']],
    bob: [],
  },
  {
    line: 'alice gives a friend a remark',
    before: ({ alice, bob }) => befriend(alice, bob),
    act: ({ alice, bob }) => alice.client.updateFriends({ friendUserIDs: [bob.id], remark: 'Bobby' }),
    alice: [['OnFriendInfoChanged', 'bob']],
    bob: [],
  },
  {
    line: 'alice blocks bob',
    act: ({ alice, bob }) => alice.client.addBlack({ toUserID: bob.id }),
    alice: [['OnBlackAdded', 'bob']],
    bob: [],
  },
  {
    line: 'alice lets bob in again',
    before: ({ alice, bob }) => alice.client.addBlack({ toUserID: bob.id }),
    act: ({ alice, bob }) => alice.client.removeBlack(bob.id),
    alice: [['OnBlackDeleted', 'bob']],
    bob: [],
  },
];

const expected = (world, events) => (
  events.map(([name, about]) => [name, typeof about === 'string' ? world.id(about) : about])
);

/** Two users with two devices each, and a third whom nobody has an opinion of. */
async function enterTwice(world) {
  const [alice, bob] = [await world.enter('alice'), await world.enter('bob')];
  const carol = await world.enter('carol');
  const devices = { alice: [alice], bob: [bob] };
  const folders = { alice: world.folder(), bob: world.folder() };
  for (const name of ['alice', 'bob']) {
    devices[name].push(await world.enter(name, { platformID: Platform.Web, dataDir: folders[name] }));
  }
  const all = [...devices.alice, ...devices.bob];
  const rest = async () => {
    for (const device of all) await calm(device, carol);
  };
  return { people: { alice, bob }, devices, folders, all, rest };
}

for (const { line, before = () => {}, act, ...expectations } of LINES) {
  test(`online: ${line}`, async (t) => {
    const world = await World.start(t);
    const { people, devices, all, rest } = await enterTwice(world);
    await before(people);
    await rest();
    for (const { recording } of all) recording.clear();
    await act(people);
    for (const [name, events] of Object.entries(expectations)) {
      for (const { recording } of devices[name]) {
        for (const [event] of events) await recording.heard(event);
      }
    }
    await rest();
    for (const [name, events] of Object.entries(expectations)) {
      for (const device of devices[name]) assert.deepEqual(heard(device), expected(world, events), name);
    }
  });
}

/** More than a list's log tells, on every list of both, by a crowd that neither knows; what each of them hears of it. */
async function muchHappens(world, people) {
  const admin = await openAdmin(world.server);
  const token = await admin.getAdminToken();
  const crowd = Array.from({ length: MANY }, (_, i) => world.id(`crowd${i}`));
  const strangers = Array.from({ length: MANY }, (_, i) => world.id(`stranger${i}`));
  await world.server.register([...crowd, ...strangers].map((userID) => ({ userID, nickname: userID, faceURL: '' })));
  for (const { id } of [people.alice, people.bob]) {
    await admin.importFriends({ ownerUserID: id, friendUserIDs: crowd });
    await Promise.all(strangers.map(async (fromUserID) => {
      await admin.addBlack({ ownerUserID: id, blackUserID: fromUserID });
      const answer = await forward(world.server.addresses, '/friend/add_friend', { fromUserID, toUserID: id, reqMsg: 'hi' }, {
        operationid: 'crowd', token,
      });
      assert.equal(answer.errCode, 0, answer.errDlt);
    }));
  }
  return { OnFriendAdded: crowd, OnBlackAdded: strangers, OnFriendApplicationAdded: strangers };
}

for (const { line, before = () => {}, act, ...expectations } of LINES) {
  test(`after a long absence: ${line}`, async (t) => {
    const world = await World.start(t);
    const { people, devices, folders, rest } = await enterTwice(world);
    await before(people);
    await rest();
    for (const [, phone] of Object.values(devices)) await phone.client.close();
    const crowds = await muchHappens(world, people);
    await act(people);
    const pair = [people.alice.id, people.bob.id];
    const isTheirs = ({ userID, fromUserID = userID, toUserID = userID }) => (
      pair.includes(fromUserID) && pair.includes(toUserID)
    );
    for (const [name, events] of Object.entries(expectations)) {
      const back = await world.enter(name, { platformID: Platform.Web, dataDir: folders[name] });
      assert.deepEqual(heard(back, isTheirs), expected(world, events), name);
      const others = back.recording.events.filter(isOfPeople).filter(([, payload]) => !isTheirs(payload));
      for (const [event, ids] of Object.entries(crowds)) {
        const told = others.filter(([other]) => other === event).map(([, { userID, fromUserID = userID }]) => fromUserID);
        assert.deepEqual(told.sort(), [...ids].sort(), `${name}: ${event} once for each`);
      }
      assert.deepEqual(others.filter(([event]) => !(event in crowds)), [], 'and nothing else');
    }
  });
}
