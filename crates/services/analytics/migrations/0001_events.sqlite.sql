CREATE TABLE events (
    id           BLOB    NOT NULL PRIMARY KEY,
    source       TEXT    NOT NULL,
    message_id   TEXT    NOT NULL,
    type         TEXT    NOT NULL,
    event        TEXT    NOT NULL,
    user_id      TEXT,
    anonymous_id TEXT,
    customer_id  BLOB,
    occurred_at  INTEGER NOT NULL,
    received_at  INTEGER NOT NULL,
    message      TEXT    NOT NULL,
    personal     BLOB
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX events_message ON events (source, message_id);
CREATE INDEX events_age ON events (received_at);
CREATE INDEX events_customer ON events (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX events_visitor ON events (anonymous_id) WHERE anonymous_id IS NOT NULL;

CREATE TABLE rejected_events (
    id          BLOB    NOT NULL PRIMARY KEY,
    source      TEXT    NOT NULL,
    message_id  TEXT,
    code        TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    customer_id BLOB,
    received_at INTEGER NOT NULL,
    message     TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX rejected_events_message ON rejected_events (source, message_id, code);
CREATE INDEX rejected_events_age ON rejected_events (received_at);
CREATE INDEX rejected_events_customer ON rejected_events (customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE events_daily (
    day    TEXT    NOT NULL,
    event  TEXT    NOT NULL,
    source TEXT    NOT NULL,
    count  INTEGER NOT NULL,
    PRIMARY KEY (day, event, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE revenue_daily (
    day              TEXT    NOT NULL,
    currency         TEXT    NOT NULL,
    orders           INTEGER NOT NULL,
    units            INTEGER NOT NULL,
    revenue          INTEGER NOT NULL,
    shipping         INTEGER NOT NULL,
    tax              INTEGER NOT NULL,
    discount         INTEGER NOT NULL,
    total            INTEGER NOT NULL,
    cancelled_orders INTEGER NOT NULL,
    cancelled        INTEGER NOT NULL,
    refund_count     INTEGER NOT NULL,
    refunded         INTEGER NOT NULL,
    PRIMARY KEY (day, currency)
) STRICT, WITHOUT ROWID;
