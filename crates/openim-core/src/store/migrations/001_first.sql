-- Schema 1. Times are ms. Keys and indexes follow the measured decisions of docs/performance.md.

CREATE TABLE meta(
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users(
  user_id TEXT PRIMARY KEY,
  nickname TEXT NOT NULL DEFAULT '',
  face_url TEXT NOT NULL DEFAULT '',
  ex TEXT NOT NULL DEFAULT '',
  create_time INTEGER NOT NULL DEFAULT 0,
  global_recv_msg_opt INTEGER NOT NULL DEFAULT 0,
  -- when the server last gave this profile; 0 = only seen on a message
  fetched_at INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE conversations(
  id INTEGER PRIMARY KEY,
  conversation_id TEXT NOT NULL UNIQUE,
  type INTEGER NOT NULL,
  user_id TEXT NOT NULL DEFAULT '',
  group_id TEXT NOT NULL DEFAULT '',
  recv_msg_opt INTEGER NOT NULL DEFAULT 0,
  group_at_type INTEGER NOT NULL DEFAULT 0,
  is_pinned INTEGER NOT NULL DEFAULT 0,
  is_private_chat INTEGER NOT NULL DEFAULT 0,
  -- the server's defaults, so that its first record of a conversation made here changes nothing
  burn_duration INTEGER NOT NULL DEFAULT 0,
  is_msg_destruct INTEGER NOT NULL DEFAULT 0,
  msg_destruct_time INTEGER NOT NULL DEFAULT 0,
  is_not_in_group INTEGER NOT NULL DEFAULT 0,
  attached_info TEXT NOT NULL DEFAULT '',
  ex TEXT NOT NULL DEFAULT '',
  draft_text TEXT NOT NULL DEFAULT '',
  draft_text_time INTEGER NOT NULL DEFAULT 0,
  -- messages.id of the newest visible message; 0 = none
  latest_message INTEGER NOT NULL DEFAULT 0,
  latest_msg_send_time INTEGER NOT NULL DEFAULT 0,
  unread_count INTEGER NOT NULL DEFAULT 0,
  has_read_seq INTEGER NOT NULL DEFAULT 0,
  -- up to here the senders have their receipts
  read_told INTEGER NOT NULL DEFAULT 0,
  -- 1 while the server has not confirmed what was marked as read here
  read_waits INTEGER NOT NULL DEFAULT 0,
  -- nothing at or below this seq is unread; keeps the unread function from looking at own messages again and again
  read_floor INTEGER NOT NULL DEFAULT 0,
  -- newest seq that the server is known to have
  server_max_seq INTEGER NOT NULL DEFAULT 0,
  -- every seq up to here is stored, in seq_gaps or in seq_holes
  local_max_seq INTEGER NOT NULL DEFAULT 0,
  min_seq INTEGER NOT NULL DEFAULT 0,
  max_seq INTEGER NOT NULL DEFAULT 0,
  hidden INTEGER NOT NULL DEFAULT 1,
  sort_time INTEGER NOT NULL GENERATED ALWAYS AS (max(latest_msg_send_time, draft_text_time)) STORED
) STRICT;
CREATE INDEX conversations_list ON conversations(hidden, is_pinned DESC, sort_time DESC, id);
CREATE INDEX conversations_unread ON conversations(unread_count)
  WHERE unread_count > 0 AND hidden = 0 AND recv_msg_opt < 2;
CREATE INDEX conversations_user ON conversations(user_id) WHERE user_id <> '';

-- Order within a conversation is (position, place). A message with a seq has position = seq and place = 0; one without
-- (not sent yet, failed, local) stands after the highest seq known when it was made: place > 0 (R7).
CREATE TABLE messages(
  id INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  position INTEGER NOT NULL,
  place INTEGER NOT NULL DEFAULT 0,
  client_hash INTEGER NOT NULL,
  client_msg_id TEXT NOT NULL,
  server_msg_id TEXT NOT NULL DEFAULT '',
  send_id TEXT NOT NULL,
  recv_id TEXT NOT NULL DEFAULT '',
  group_id TEXT NOT NULL DEFAULT '',
  sender_platform_id INTEGER NOT NULL DEFAULT 0,
  sender_nickname TEXT NOT NULL DEFAULT '',
  sender_face_url TEXT NOT NULL DEFAULT '',
  session_type INTEGER NOT NULL,
  msg_from INTEGER NOT NULL DEFAULT 100,
  content_type INTEGER NOT NULL,
  content TEXT NOT NULL,
  is_read INTEGER NOT NULL DEFAULT 0,
  status INTEGER NOT NULL,
  send_time INTEGER NOT NULL,
  create_time INTEGER NOT NULL,
  attached_info TEXT NOT NULL DEFAULT '',
  offline_push TEXT NOT NULL DEFAULT '',
  ex TEXT NOT NULL DEFAULT '',
  local_ex TEXT NOT NULL DEFAULT '',
  send_error TEXT NOT NULL DEFAULT '',
  -- 1 if the message can raise unread: somebody else's, option unreadCount not off
  counts_unread INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE UNIQUE INDEX messages_order ON messages(conversation, position, place);
CREATE UNIQUE INDEX messages_client ON messages(client_hash, conversation);
CREATE INDEX messages_uncounted ON messages(conversation, position) WHERE counts_unread = 0 AND place = 0;

-- Seqs that the server has and this device lacks. live = 1: to be fetched now and announced; 0: fetched with the history.
CREATE TABLE seq_gaps(
  conversation INTEGER NOT NULL,
  begin_seq INTEGER NOT NULL,
  end_seq INTEGER NOT NULL,
  live INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY(conversation, begin_seq)
) STRICT, WITHOUT ROWID;

-- Seqs without a message: never used, deleted, or a second copy of a message.
CREATE TABLE seq_holes(
  conversation INTEGER NOT NULL,
  begin_seq INTEGER NOT NULL,
  end_seq INTEGER NOT NULL,
  PRIMARY KEY(conversation, begin_seq)
) STRICT, WITHOUT ROWID;

-- Own messages that the peer has read, before they have their seqs here.
CREATE TABLE early_receipts(
  conversation INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  read_time INTEGER NOT NULL,
  PRIMARY KEY(conversation, seq)
) STRICT, WITHOUT ROWID;

-- Last handled seq of each notification stream.
CREATE TABLE sync_cursors(
  stream_id TEXT PRIMARY KEY,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Versions of the lists that are synced incrementally.
CREATE TABLE list_versions(
  list TEXT NOT NULL,
  entity_id TEXT NOT NULL,
  version_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY(list, entity_id)
) STRICT, WITHOUT ROWID;

-- Messages in status 1. attempt > 0: the request may have left. payload: the MsgData as it is sent.
CREATE TABLE outbox(
  message INTEGER PRIMARY KEY,
  conversation INTEGER NOT NULL,
  attempt INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL,
  payload BLOB NOT NULL
) STRICT;
