CREATE TABLE platform_outbox (
    -- The order in which the rows were written.
    sequence bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Given once the row is committed, by one sequencer at a time: readers that follow it miss nothing.
    position bigint UNIQUE,
    id uuid NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    written_at timestamptz NOT NULL,
    data jsonb NOT NULL,
    traceparent text
);
CREATE INDEX platform_outbox_unsequenced ON platform_outbox (sequence) WHERE position IS NULL;
CREATE SEQUENCE platform_outbox_position OWNED BY platform_outbox.position;

CREATE TABLE platform_inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX platform_inbox_seen_at ON platform_inbox (seen_at);

CREATE TABLE platform_due (
    queue text NOT NULL,
    item_key text NOT NULL,
    payload jsonb NOT NULL,
    -- When it may run; while it is claimed, when the claim runs out.
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    claim uuid,
    -- Scheduled anew while claimed: when to run again after this run.
    again_at timestamptz,
    last_error text,
    PRIMARY KEY (queue, item_key)
);
CREATE INDEX platform_due_due_at ON platform_due (queue, due_at);

CREATE TABLE platform_leases (
    name text PRIMARY KEY,
    token bigint NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE platform_idempotency (
    caller text NOT NULL,
    idempotency_key text NOT NULL,
    fingerprint bytea NOT NULL,
    -- The response, once there is one.
    status integer,
    headers jsonb,
    body bytea,
    -- Until then nobody else may start the same work.
    working_until timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (caller, idempotency_key)
);
CREATE INDEX platform_idempotency_expires_at ON platform_idempotency (expires_at);
