CREATE TABLE payments (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL,
    customer_id BLOB,
    provider TEXT NOT NULL,
    method TEXT NOT NULL,
    card_brand TEXT,
    card_last4 TEXT,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    captured INTEGER NOT NULL CHECK (captured BETWEEN 0 AND amount),
    refunded INTEGER NOT NULL CHECK (refunded BETWEEN 0 AND captured),
    -- How far it has come at the provider.
    stage TEXT NOT NULL,
    -- What is told: the stage, unless the outcome of a call is not known.
    status TEXT NOT NULL,
    -- The call that has not been answered yet, and whether its answer was lost.
    attempt_id BLOB,
    attempt_operation TEXT,
    attempt_lost INTEGER NOT NULL,
    void_wanted INTEGER NOT NULL,
    action_url TEXT,
    decline_reason TEXT,
    provider_reason TEXT,
    provider_reference TEXT,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK ((attempt_id IS NULL) = (attempt_operation IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX payments_created ON payments (created_at, id);
CREATE INDEX payments_status ON payments (status, created_at, id);
CREATE INDEX payments_order ON payments (order_id, created_at, id);
CREATE INDEX payments_customer ON payments (customer_id, created_at, id) WHERE customer_id IS NOT NULL;

-- Ids that were voided before they were heard of: nothing may be authorised under them any more.
CREATE TABLE closed_payments (
    id BLOB NOT NULL PRIMARY KEY,
    closed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Every call that changes something at a provider, written before it is made.
CREATE TABLE attempts (
    id BLOB NOT NULL PRIMARY KEY,
    payment_id BLOB NOT NULL,
    refund_id BLOB,
    operation TEXT NOT NULL,
    -- Counts the attempts at one operation; it only grows when the one before is known not to have happened.
    number INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    idempotency_key TEXT NOT NULL UNIQUE,
    started_at INTEGER NOT NULL,
    -- When nobody waits for the answer any more.
    answer_by INTEGER NOT NULL,
    -- From when on it cannot take effect at the provider any more unless it has.
    settles_at INTEGER NOT NULL,
    ended_at INTEGER,
    outcome TEXT,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX attempts_payment ON attempts (payment_id, started_at);
-- One call at a time, for the payment itself and for each of its refunds.
CREATE UNIQUE INDEX attempts_open_payment ON attempts (payment_id) WHERE ended_at IS NULL AND refund_id IS NULL;
CREATE UNIQUE INDEX attempts_open_refund ON attempts (refund_id) WHERE ended_at IS NULL AND refund_id IS NOT NULL;

CREATE TABLE refunds (
    id BLOB NOT NULL PRIMARY KEY,
    payment_id BLOB NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL CHECK (amount > 0),
    reason TEXT NOT NULL,
    status TEXT NOT NULL,
    attempt_id BLOB,
    failure_reason TEXT,
    provider_reason TEXT,
    provider_reference TEXT,
    -- A member of the staff, or a service of the shop.
    requested_by TEXT NOT NULL,
    -- Hash of caller and Idempotency-Key: a repetition after a crash finds its refund.
    request_key BLOB UNIQUE,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX refunds_payment ON refunds (payment_id, created_at, id);

-- What providers tell, kept before it is acknowledged.
CREATE TABLE webhooks (
    id BLOB NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    payment_id BLOB,
    occurred_at INTEGER NOT NULL,
    -- What it says, in our terms; gone when it was acted upon.
    subject TEXT,
    -- As it came, without card numbers, addresses and secrets.
    body TEXT,
    received_at INTEGER NOT NULL,
    processed_at INTEGER,
    outcome TEXT,
    UNIQUE (provider, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX webhooks_payment ON webhooks (payment_id, occurred_at, id);
CREATE INDEX webhooks_waiting ON webhooks (payment_id, occurred_at, id) WHERE processed_at IS NULL;
