-- Checkouts and entries of an order's log hold its lines, which makes them longer than a quarter of a page.
-- Without row ids each has a page of its own, which is written whole; with them, several share one.
CREATE TABLE checkouts_rows (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL UNIQUE,
    payment_id BLOB NOT NULL,
    -- The refund that a cancellation asks for, chosen beforehand so that asking twice refunds once.
    refund_id BLOB NOT NULL,
    number TEXT NOT NULL UNIQUE,
    cart_id BLOB NOT NULL,
    cart_version INTEGER NOT NULL,
    customer_id BLOB,
    -- Under whose key personal data is sealed: the customer, or the guest of this one order.
    person_id BLOB NOT NULL,
    -- Hash of caller, Idempotency-Key and request: a repetition after a crash finds its checkout.
    request_key BLOB,
    -- Keyed hash of what was asked for: the same cart paid for in the same way is the same checkout.
    request_hash BLOB NOT NULL,
    stage TEXT NOT NULL,
    turned_back_at TEXT,
    failure TEXT,
    payment_status TEXT,
    next_action TEXT,
    attempts INTEGER NOT NULL,
    wake_at INTEGER,
    expires_at INTEGER NOT NULL,
    -- Until when one driver has it to itself.
    leased_until INTEGER,
    -- Counts the changes of the saga; a driver that was overtaken finds another number and stops.
    version INTEGER NOT NULL,
    lines TEXT NOT NULL,
    totals TEXT NOT NULL,
    -- Sealed: addresses, email, note.
    details BLOB NOT NULL,
    -- Sealed: what is paid with. Gone when the checkout has ended.
    method BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
INSERT INTO checkouts_rows SELECT * FROM checkouts;
DROP TABLE checkouts;
ALTER TABLE checkouts_rows RENAME TO checkouts;
CREATE UNIQUE INDEX checkouts_cart_version ON checkouts (cart_id, cart_version) WHERE turned_back_at IS NULL;
CREATE UNIQUE INDEX checkouts_cart_live ON checkouts (cart_id) WHERE turned_back_at IS NULL AND stage <> 'done';
CREATE INDEX checkouts_request ON checkouts (request_key) WHERE request_key IS NOT NULL;
CREATE INDEX checkouts_undone ON checkouts (updated_at) WHERE stage = 'undone';
CREATE INDEX checkouts_customer ON checkouts (customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE order_events_rows (
    order_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    data TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (order_id, sequence)
) STRICT;
INSERT INTO order_events_rows SELECT * FROM order_events;
DROP TABLE order_events;
ALTER TABLE order_events_rows RENAME TO order_events;
