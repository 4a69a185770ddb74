-- The sandbox is a provider of its own that happens to live here; nothing else reads these tables.
CREATE TABLE sandbox_payments (
    -- The merchant's own name for it.
    reference BLOB NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    token TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    captured INTEGER NOT NULL CHECK (captured BETWEEN 0 AND amount),
    status TEXT NOT NULL,
    failure_code TEXT,
    -- The unguessable end of the challenge's address, and where the person goes afterwards.
    challenge TEXT UNIQUE,
    return_url TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sandbox_refunds (
    reference BLOB NOT NULL PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    payment BLOB NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sandbox_refunds_payment ON sandbox_refunds (payment, created_at);
