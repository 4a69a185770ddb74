CREATE TABLE payments (
    id uuid NOT NULL PRIMARY KEY,
    order_id uuid NOT NULL,
    customer_id uuid,
    provider text NOT NULL,
    method text NOT NULL,
    card_brand text,
    card_last4 text,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    captured bigint NOT NULL CHECK (captured BETWEEN 0 AND amount),
    refunded bigint NOT NULL CHECK (refunded BETWEEN 0 AND captured),
    -- How far it has come at the provider.
    stage text NOT NULL,
    -- What is told: the stage, unless the outcome of a call is not known.
    status text NOT NULL,
    -- The call that has not been answered yet, and whether its answer was lost.
    attempt_id uuid,
    attempt_operation text,
    attempt_lost boolean NOT NULL,
    void_wanted boolean NOT NULL,
    action_url text,
    decline_reason text,
    provider_reason text,
    provider_reference text,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK ((attempt_id IS NULL) = (attempt_operation IS NULL))
);

CREATE INDEX payments_created ON payments (created_at, id);
CREATE INDEX payments_status ON payments (status, created_at, id);
CREATE INDEX payments_order ON payments (order_id, created_at, id);
CREATE INDEX payments_customer ON payments (customer_id, created_at, id) WHERE customer_id IS NOT NULL;

-- Ids that were voided before they were heard of: nothing may be authorised under them any more.
CREATE TABLE closed_payments (
    id uuid NOT NULL PRIMARY KEY,
    closed_at timestamptz NOT NULL
);

-- Every call that changes something at a provider, written before it is made.
CREATE TABLE attempts (
    id uuid NOT NULL PRIMARY KEY,
    payment_id uuid NOT NULL,
    refund_id uuid,
    operation text NOT NULL,
    -- Counts the attempts at one operation; it only grows when the one before is known not to have happened.
    number bigint NOT NULL,
    amount bigint NOT NULL,
    idempotency_key text NOT NULL UNIQUE,
    started_at timestamptz NOT NULL,
    -- When nobody waits for the answer any more.
    answer_by timestamptz NOT NULL,
    -- From when on it cannot take effect at the provider any more unless it has.
    settles_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text,
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);

CREATE INDEX attempts_payment ON attempts (payment_id, started_at);
-- One call at a time, for the payment itself and for each of its refunds.
CREATE UNIQUE INDEX attempts_open_payment ON attempts (payment_id) WHERE ended_at IS NULL AND refund_id IS NULL;
CREATE UNIQUE INDEX attempts_open_refund ON attempts (refund_id) WHERE ended_at IS NULL AND refund_id IS NOT NULL;

CREATE TABLE refunds (
    id uuid NOT NULL PRIMARY KEY,
    payment_id uuid NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL CHECK (amount > 0),
    reason text NOT NULL,
    status text NOT NULL,
    attempt_id uuid,
    failure_reason text,
    provider_reason text,
    provider_reference text,
    -- A member of the staff, or a service of the shop.
    requested_by text NOT NULL,
    -- Hash of caller and Idempotency-Key: a repetition after a crash finds its refund.
    request_key bytea UNIQUE,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE INDEX refunds_payment ON refunds (payment_id, created_at, id);

-- What providers tell, kept before it is acknowledged.
CREATE TABLE webhooks (
    id uuid NOT NULL PRIMARY KEY,
    provider text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    payment_id uuid,
    occurred_at timestamptz NOT NULL,
    -- What it says, in our terms; gone when it was acted upon.
    subject jsonb,
    -- As it came, without card numbers, addresses and secrets.
    body text,
    received_at timestamptz NOT NULL,
    processed_at timestamptz,
    outcome text,
    UNIQUE (provider, event_id)
);

CREATE INDEX webhooks_payment ON webhooks (payment_id, occurred_at, id);
CREATE INDEX webhooks_waiting ON webhooks (payment_id, occurred_at, id) WHERE processed_at IS NULL;
