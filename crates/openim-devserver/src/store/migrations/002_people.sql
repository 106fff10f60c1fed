-- "ordinal" is the place in the order of insertion, over all lists of all users.
CREATE TABLE friend (
    owner_user_id    TEXT    NOT NULL,
    friend_user_id   TEXT    NOT NULL,
    ordinal          INTEGER NOT NULL,
    remark           TEXT    NOT NULL,
    create_time      INTEGER NOT NULL,
    add_source       INTEGER NOT NULL,
    operator_user_id TEXT    NOT NULL,
    ex               TEXT    NOT NULL,
    is_pinned        INTEGER NOT NULL,
    PRIMARY KEY (owner_user_id, friend_user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE friend_request (
    from_user_id    TEXT    NOT NULL,
    to_user_id      TEXT    NOT NULL,
    ordinal         INTEGER NOT NULL,
    req_msg         TEXT    NOT NULL,
    ex              TEXT    NOT NULL,
    create_time     INTEGER NOT NULL,
    handle_result   INTEGER NOT NULL,
    handler_user_id TEXT    NOT NULL,
    handle_msg      TEXT    NOT NULL,
    handle_time     INTEGER NOT NULL,
    PRIMARY KEY (from_user_id, to_user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE black (
    owner_user_id    TEXT    NOT NULL,
    black_user_id    TEXT    NOT NULL,
    ordinal          INTEGER NOT NULL,
    create_time      INTEGER NOT NULL,
    operator_user_id TEXT    NOT NULL,
    ex               TEXT    NOT NULL,
    PRIMARY KEY (owner_user_id, black_user_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE user_command (
    user_id     TEXT    NOT NULL,
    type        INTEGER NOT NULL,
    uuid        TEXT    NOT NULL,
    ordinal     INTEGER NOT NULL,
    create_time INTEGER NOT NULL,
    value       TEXT    NOT NULL,
    PRIMARY KEY (user_id, type, uuid)
) STRICT, WITHOUT ROWID;
