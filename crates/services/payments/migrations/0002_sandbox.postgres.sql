-- The sandbox is a provider of its own that happens to live here; nothing else reads these tables.
CREATE TABLE sandbox_payments (
    -- The merchant's own name for it.
    reference uuid NOT NULL PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    token text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    captured bigint NOT NULL CHECK (captured BETWEEN 0 AND amount),
    status text NOT NULL,
    failure_code text,
    -- The unguessable end of the challenge's address, and where the person goes afterwards.
    challenge text UNIQUE,
    return_url text,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE TABLE sandbox_refunds (
    reference uuid NOT NULL PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    payment uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE INDEX sandbox_refunds_payment ON sandbox_refunds (payment, created_at);
