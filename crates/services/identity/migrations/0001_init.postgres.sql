-- What each column holds and what erasure does to it stands in src/store/columns.rs.

-- Everybody who can sign in. Somebody who signed up is not here before they prove that the address is theirs.
CREATE TABLE accounts (
    id uuid NOT NULL PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('customer', 'staff')),
    roles jsonb NOT NULL,
    seller_id uuid,
    address_index bytea NOT NULL,
    address bytea NOT NULL,
    verified_at timestamptz,
    password_hash text,
    password_set_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT accounts_address_index_key UNIQUE (address_index)
);

-- Sign-ups whose address has not been proved, one row per mail. Each has the password of its own request, so
-- that whoever proves the address gets the password that goes with the mail they hold.
CREATE TABLE signups (
    id uuid NOT NULL PRIMARY KEY,
    customer_id uuid NOT NULL,
    address_index bytea NOT NULL,
    contact bytea NOT NULL,
    password_hash text,
    token_hash bytea NOT NULL,
    code_hash bytea NOT NULL,
    tries bigint NOT NULL,
    created_at timestamptz NOT NULL,
    code_expires_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT signups_token_hash_key UNIQUE (token_hash)
);

CREATE INDEX signups_address_index ON signups (address_index, expires_at);
CREATE INDEX signups_expires_at ON signups (expires_at);

-- Links with which a password can be set, sent to people who forgot theirs and to new staff.
CREATE TABLE recoveries (
    token_hash bytea NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX recoveries_account_id ON recoveries (account_id);
CREATE INDEX recoveries_expires_at ON recoveries (expires_at);

-- One row per session for as long as a token of it can be good, and a little longer when it was ended.
CREATE TABLE sessions (
    id uuid NOT NULL PRIMARY KEY,
    account_id uuid NOT NULL,
    device bytea NOT NULL,
    method text NOT NULL,
    seed bytea NOT NULL,
    issued bigint NOT NULL,
    used bigint NOT NULL,
    open_from bigint NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    not_issued_before timestamptz,
    ended_at timestamptz
);

CREATE INDEX sessions_account_id ON sessions (account_id, id) WHERE ended_at IS NULL;
CREATE INDEX sessions_not_issued_before ON sessions (not_issued_before) WHERE not_issued_before IS NOT NULL;
CREATE INDEX sessions_ends_at ON sessions (ends_at);

-- Every attempt. Rows are only added; sequence and hash are filled in once, when the row is chained to the one
-- before it. Time is in the id.
CREATE TABLE audit_events (
    id uuid NOT NULL PRIMARY KEY,
    at timestamptz NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    reason text,
    method text,
    account text,
    address_index bytea,
    session_id uuid,
    device bytea NOT NULL,
    request_id text NOT NULL,
    sequence bigint,
    hash bytea,
    CONSTRAINT audit_events_sequence_key UNIQUE (sequence)
);

CREATE INDEX audit_events_account ON audit_events (account, id);
CREATE INDEX audit_events_address_index ON audit_events (address_index) WHERE address_index IS NOT NULL;
CREATE INDEX audit_events_unchained ON audit_events (id) WHERE sequence IS NULL;
