CREATE TABLE user (
    ordinal             INTEGER PRIMARY KEY,
    user_id             TEXT    NOT NULL UNIQUE,
    nickname            TEXT    NOT NULL,
    face_url            TEXT    NOT NULL,
    ex                  TEXT    NOT NULL,
    create_time         INTEGER NOT NULL,
    app_manager_level   INTEGER NOT NULL,
    global_recv_msg_opt INTEGER NOT NULL
) STRICT;

CREATE TABLE token (
    user_id     TEXT    NOT NULL,
    platform_id INTEGER NOT NULL,
    token       TEXT    NOT NULL,
    state       INTEGER NOT NULL,
    ordinal     INTEGER PRIMARY KEY,
    UNIQUE (user_id, platform_id, token)
) STRICT;

CREATE TABLE push_token (
    user_id     TEXT    NOT NULL,
    platform_id INTEGER NOT NULL,
    token       TEXT    NOT NULL,
    expire_time INTEGER NOT NULL,
    PRIMARY KEY (user_id, platform_id)
) STRICT, WITHOUT ROWID;

-- '' as user_id holds the defaults of everybody.
CREATE TABLE client_config (
    user_id TEXT NOT NULL,
    key     TEXT NOT NULL,
    value   TEXT NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE conversation (
    owner_user_id   TEXT    NOT NULL,
    conversation_id TEXT    NOT NULL,
    ordinal         INTEGER NOT NULL,
    record          BLOB    NOT NULL,
    PRIMARY KEY (owner_user_id, conversation_id)
) STRICT, WITHOUT ROWID;

-- One row per chat conversation or notification stream. Who may read it is stored, never parsed from the name.
-- The newest seq is that of the newest message, or seq_floor where seqs were skipped.
CREATE TABLE stream (
    id        INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    party_a   TEXT    NOT NULL,
    party_b   TEXT    NOT NULL,
    min_seq   INTEGER NOT NULL,
    seq_floor INTEGER NOT NULL
) STRICT;

CREATE TABLE message (
    stream_id INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    is_read   INTEGER NOT NULL,
    payload   BLOB    NOT NULL,
    PRIMARY KEY (stream_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE read_cursor (
    user_id   TEXT    NOT NULL,
    stream_id INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (user_id, stream_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE version_log (
    log        INTEGER NOT NULL,
    owner      TEXT    NOT NULL,
    version_id BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    PRIMARY KEY (log, owner)
) STRICT, WITHOUT ROWID;

CREATE TABLE version_entry (
    log     INTEGER NOT NULL,
    owner   TEXT    NOT NULL,
    element TEXT    NOT NULL,
    state   INTEGER NOT NULL,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (log, owner, element)
) STRICT, WITHOUT ROWID;
