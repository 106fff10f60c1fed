// Relations between the people of a world.

/** Makes two people friends; resolves when both of these devices know. */
export async function befriend(one, other) {
  await one.client.addFriend({ toUserID: other.id });
  await other.recording.heard('OnFriendApplicationAdded', ({ fromUserID }) => fromUserID === one.id);
  await other.client.acceptFriendApplication({ toUserID: one.id });
  await one.recording.heard('OnFriendAdded', ({ userID }) => userID === other.id);
}
