CREATE TABLE polls (
    id         uuid        NOT NULL PRIMARY KEY,
    placement  text        NOT NULL,
    title      text        NOT NULL,
    questions  jsonb       NOT NULL,
    status     text        NOT NULL,
    version    bigint      NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE INDEX polls_asked ON polls (placement, status, id);

CREATE TABLE purchases (
    order_id    uuid        NOT NULL PRIMARY KEY,
    customer_id uuid        NOT NULL,
    placed_at   timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);

CREATE INDEX purchases_customer ON purchases (customer_id, order_id);
CREATE INDEX purchases_expiry ON purchases (expires_at);

CREATE TABLE answers (
    id          uuid        NOT NULL PRIMARY KEY,
    poll_id     uuid        NOT NULL,
    order_id    uuid        NOT NULL,
    customer_id uuid,
    answers     jsonb       NOT NULL,
    texts       bytea,
    created_at  timestamptz NOT NULL,
    UNIQUE (poll_id, order_id)
);

CREATE INDEX answers_poll ON answers (poll_id, id);
CREATE INDEX answers_customer ON answers (customer_id, id);

CREATE TABLE tallies (
    poll_id     uuid   NOT NULL,
    question_id text   NOT NULL,
    value       text   NOT NULL,
    times       bigint NOT NULL,
    PRIMARY KEY (poll_id, question_id, value)
);
