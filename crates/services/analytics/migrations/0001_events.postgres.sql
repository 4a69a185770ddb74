CREATE TABLE events (
    id           uuid        NOT NULL PRIMARY KEY,
    source       text    NOT NULL,
    message_id   text    NOT NULL,
    type         text    NOT NULL,
    event        text    NOT NULL,
    user_id      text,
    anonymous_id text,
    customer_id  uuid,
    occurred_at  timestamptz NOT NULL,
    received_at  timestamptz NOT NULL,
    message      text    NOT NULL,
    personal     bytea
);

CREATE UNIQUE INDEX events_message ON events (source, message_id);
CREATE INDEX events_age ON events (received_at);
CREATE INDEX events_customer ON events (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX events_visitor ON events (anonymous_id) WHERE anonymous_id IS NOT NULL;

CREATE TABLE rejected_events (
    id          uuid        NOT NULL PRIMARY KEY,
    source      text    NOT NULL,
    message_id  text,
    code        text    NOT NULL,
    detail      text    NOT NULL,
    customer_id uuid,
    received_at timestamptz NOT NULL,
    message     text    NOT NULL
);

CREATE UNIQUE INDEX rejected_events_message ON rejected_events (source, message_id, code);
CREATE INDEX rejected_events_age ON rejected_events (received_at);
CREATE INDEX rejected_events_customer ON rejected_events (customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE events_daily (
    day    text    NOT NULL,
    event  text    NOT NULL,
    source text    NOT NULL,
    count  bigint  NOT NULL,
    PRIMARY KEY (day, event, source)
);

CREATE TABLE revenue_daily (
    day              text    NOT NULL,
    currency         text    NOT NULL,
    orders           bigint  NOT NULL,
    units            bigint  NOT NULL,
    revenue          bigint  NOT NULL,
    shipping         bigint  NOT NULL,
    tax              bigint  NOT NULL,
    discount         bigint  NOT NULL,
    total            bigint  NOT NULL,
    cancelled_orders bigint  NOT NULL,
    cancelled        bigint  NOT NULL,
    refund_count     bigint  NOT NULL,
    refunded         bigint  NOT NULL,
    PRIMARY KEY (day, currency)
);
