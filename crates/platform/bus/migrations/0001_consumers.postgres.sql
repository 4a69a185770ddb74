CREATE TABLE bus_positions (
    consumer text   NOT NULL,
    source   text   NOT NULL,
    epoch    text   NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (consumer, source)
);

CREATE TABLE bus_parked (
    consumer   text        NOT NULL,
    event_id   uuid        NOT NULL,
    event_key  text        NOT NULL,
    sequence   bigint      NOT NULL,
    envelope   jsonb       NOT NULL,
    state      text        NOT NULL,
    attempts   bigint      NOT NULL,
    next_at    timestamptz NOT NULL,
    last_error text        NOT NULL,
    parked_at  timestamptz NOT NULL,
    PRIMARY KEY (consumer, event_id)
);

CREATE INDEX bus_parked_due ON bus_parked (consumer, state, event_key, sequence);
