CREATE TABLE log (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic    text        NOT NULL,
    subject  text        NOT NULL,
    kind     text        NOT NULL,
    data     jsonb       NOT NULL,
    at       timestamptz NOT NULL
);

CREATE INDEX log_subject ON log (topic, subject, position);
CREATE INDEX log_age ON log (at);

CREATE TABLE epochs (
    id     bigint PRIMARY KEY,
    epoch  text   NOT NULL,
    oldest bigint NOT NULL
);
