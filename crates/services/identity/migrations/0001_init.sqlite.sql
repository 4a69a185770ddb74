-- What each column holds and what erasure does to it stands in src/store/columns.rs.

-- Everybody who can sign in. Somebody who signed up is not here before they prove that the address is theirs.
CREATE TABLE accounts (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('customer', 'staff')),
    roles TEXT NOT NULL,
    seller_id BLOB,
    address_index BLOB NOT NULL,
    address BLOB NOT NULL,
    verified_at INTEGER,
    password_hash TEXT,
    password_set_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT accounts_address_index_key UNIQUE (address_index)
) STRICT, WITHOUT ROWID;

-- Sign-ups whose address has not been proved, one row per mail. Each has the password of its own request, so
-- that whoever proves the address gets the password that goes with the mail they hold.
CREATE TABLE signups (
    id BLOB NOT NULL PRIMARY KEY,
    customer_id BLOB NOT NULL,
    address_index BLOB NOT NULL,
    contact BLOB NOT NULL,
    password_hash TEXT,
    token_hash BLOB NOT NULL,
    code_hash BLOB NOT NULL,
    tries INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    code_expires_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT signups_token_hash_key UNIQUE (token_hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX signups_address_index ON signups (address_index, expires_at);
CREATE INDEX signups_expires_at ON signups (expires_at);

-- Links with which a password can be set, sent to people who forgot theirs and to new staff.
CREATE TABLE recoveries (
    token_hash BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX recoveries_account_id ON recoveries (account_id);
CREATE INDEX recoveries_expires_at ON recoveries (expires_at);

-- One row per session for as long as a token of it can be good, and a little longer when it was ended.
CREATE TABLE sessions (
    id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL,
    device BLOB NOT NULL,
    method TEXT NOT NULL,
    seed BLOB NOT NULL,
    issued INTEGER NOT NULL,
    used INTEGER NOT NULL,
    open_from INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    not_issued_before INTEGER,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_account_id ON sessions (account_id, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_not_issued_before ON sessions (not_issued_before) WHERE not_issued_before IS NOT NULL;
CREATE INDEX sessions_ends_at ON sessions (ends_at);

-- Every attempt. Rows are only added; sequence and hash are filled in once, when the row is chained to the one
-- before it. Time is in the id.
CREATE TABLE audit_events (
    id BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT,
    method TEXT,
    account TEXT,
    address_index BLOB,
    session_id BLOB,
    device BLOB NOT NULL,
    request_id TEXT NOT NULL,
    sequence INTEGER,
    hash BLOB,
    CONSTRAINT audit_events_sequence_key UNIQUE (sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_events_account ON audit_events (account, id);
CREATE INDEX audit_events_address_index ON audit_events (address_index) WHERE address_index IS NOT NULL;
CREATE INDEX audit_events_unchained ON audit_events (id) WHERE sequence IS NULL;
