CREATE TABLE log (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    topic    TEXT    NOT NULL,
    subject  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    data     TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX log_subject ON log (topic, subject, position);
CREATE INDEX log_age ON log (at);

CREATE TABLE epochs (
    id     INTEGER PRIMARY KEY,
    epoch  TEXT    NOT NULL,
    oldest INTEGER NOT NULL
) STRICT;
