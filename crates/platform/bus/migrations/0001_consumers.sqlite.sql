CREATE TABLE bus_positions (
    consumer TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    epoch    TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (consumer, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE bus_parked (
    consumer   TEXT    NOT NULL,
    event_id   BLOB    NOT NULL,
    event_key  TEXT    NOT NULL,
    sequence   INTEGER NOT NULL,
    envelope   TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    attempts   INTEGER NOT NULL,
    next_at    INTEGER NOT NULL,
    last_error TEXT    NOT NULL,
    parked_at  INTEGER NOT NULL,
    PRIMARY KEY (consumer, event_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX bus_parked_due ON bus_parked (consumer, state, event_key, sequence);
