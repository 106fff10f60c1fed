-- Schema 2: friends, black list, applications. Names and avatars are in `users`, so a rename shows everywhere at once.

CREATE TABLE friends(
  user_id TEXT PRIMARY KEY,
  remark TEXT NOT NULL DEFAULT '',
  create_time INTEGER NOT NULL DEFAULT 0,
  add_source INTEGER NOT NULL DEFAULT 0,
  operator_user_id TEXT NOT NULL DEFAULT '',
  ex TEXT NOT NULL DEFAULT '',
  is_pinned INTEGER NOT NULL DEFAULT 0,
  -- place in the server's list, which is the order of pages
  sort_index INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX friends_order ON friends(sort_index);

CREATE TABLE blacks(
  user_id TEXT PRIMARY KEY,
  create_time INTEGER NOT NULL DEFAULT 0,
  add_source INTEGER NOT NULL DEFAULT 0,
  operator_user_id TEXT NOT NULL DEFAULT '',
  ex TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;

-- Names are those that the server gave last.
CREATE TABLE friend_requests(
  from_user_id TEXT NOT NULL,
  to_user_id TEXT NOT NULL,
  from_nickname TEXT NOT NULL DEFAULT '',
  from_face_url TEXT NOT NULL DEFAULT '',
  to_nickname TEXT NOT NULL DEFAULT '',
  to_face_url TEXT NOT NULL DEFAULT '',
  -- 0 pending, 1 accepted, -1 refused
  handle_result INTEGER NOT NULL DEFAULT 0,
  req_msg TEXT NOT NULL DEFAULT '',
  create_time INTEGER NOT NULL DEFAULT 0,
  handler_user_id TEXT NOT NULL DEFAULT '',
  handle_msg TEXT NOT NULL DEFAULT '',
  handle_time INTEGER NOT NULL DEFAULT 0,
  ex TEXT NOT NULL DEFAULT '',
  -- the user deleted it on this device; a newer application of the same two shows again
  hidden INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(from_user_id, to_user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX friend_requests_received ON friend_requests(to_user_id, create_time DESC);
CREATE INDEX friend_requests_sent ON friend_requests(from_user_id, create_time DESC);
