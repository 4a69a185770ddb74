CREATE TABLE platform_outbox (
    -- Never given twice, so that trimming does not bring an old position back.
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    written_at INTEGER NOT NULL,
    data TEXT NOT NULL,
    traceparent TEXT
) STRICT;

CREATE TABLE platform_inbox (
    consumer TEXT NOT NULL,
    event_id BLOB NOT NULL,
    seen_at INTEGER NOT NULL,
    PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX platform_inbox_seen_at ON platform_inbox (seen_at);

CREATE TABLE platform_due (
    queue TEXT NOT NULL,
    item_key TEXT NOT NULL,
    payload TEXT NOT NULL,
    -- When it may run; while it is claimed, when the claim runs out.
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    claim BLOB,
    -- Scheduled anew while claimed: when to run again after this run.
    again_at INTEGER,
    last_error TEXT,
    PRIMARY KEY (queue, item_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX platform_due_due_at ON platform_due (queue, due_at);

CREATE TABLE platform_leases (
    name TEXT NOT NULL PRIMARY KEY,
    token INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE platform_idempotency (
    caller TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    -- The response, once there is one.
    status INTEGER,
    headers TEXT,
    body BLOB,
    -- Until then nobody else may start the same work.
    working_until INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (caller, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX platform_idempotency_expires_at ON platform_idempotency (expires_at);
