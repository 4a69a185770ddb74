-- An answer makes a row longer than a quarter of a page. Without row ids each such row has a page of its own,
-- which is read, written and copied whole; with them, several share one.
CREATE TABLE platform_idempotency_rows (
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
) STRICT;
INSERT INTO platform_idempotency_rows SELECT * FROM platform_idempotency;
DROP TABLE platform_idempotency;
ALTER TABLE platform_idempotency_rows RENAME TO platform_idempotency;
CREATE INDEX platform_idempotency_expires_at ON platform_idempotency (expires_at);
