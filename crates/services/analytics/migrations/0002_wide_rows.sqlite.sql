-- An event with its message is longer than a quarter of a page. Without row ids each has a page of its own;
-- with them, several share one.
CREATE TABLE events_rows (
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
) STRICT;
INSERT INTO events_rows SELECT * FROM events;
DROP TABLE events;
ALTER TABLE events_rows RENAME TO events;
CREATE UNIQUE INDEX events_message ON events (source, message_id);
CREATE INDEX events_age ON events (received_at);
CREATE INDEX events_customer ON events (customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX events_visitor ON events (anonymous_id) WHERE anonymous_id IS NOT NULL;
