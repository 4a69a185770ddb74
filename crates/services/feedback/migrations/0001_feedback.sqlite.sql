CREATE TABLE polls (
    id         BLOB    NOT NULL PRIMARY KEY,
    placement  TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    questions  TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX polls_asked ON polls (placement, status, id);

CREATE TABLE purchases (
    order_id    BLOB    NOT NULL PRIMARY KEY,
    customer_id BLOB    NOT NULL,
    placed_at   INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX purchases_customer ON purchases (customer_id, order_id);
CREATE INDEX purchases_expiry ON purchases (expires_at);

CREATE TABLE answers (
    id          BLOB    NOT NULL PRIMARY KEY,
    poll_id     BLOB    NOT NULL,
    order_id    BLOB    NOT NULL,
    customer_id BLOB,
    answers     TEXT    NOT NULL,
    texts       BLOB,
    created_at  INTEGER NOT NULL,
    UNIQUE (poll_id, order_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX answers_poll ON answers (poll_id, id);
CREATE INDEX answers_customer ON answers (customer_id, id);

CREATE TABLE tallies (
    poll_id     BLOB    NOT NULL,
    question_id TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    times       INTEGER NOT NULL,
    PRIMARY KEY (poll_id, question_id, value)
) STRICT, WITHOUT ROWID;
