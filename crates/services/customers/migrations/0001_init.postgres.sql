-- What each column holds and what erasure does to it stands in src/store/columns.rs.

-- Everybody who bought or may buy. Address, name and profile are sealed under the person's key.
CREATE TABLE customers (
    id uuid NOT NULL PRIMARY KEY,
    email bytea,
    email_index bytea,
    signup_name bytea,
    profile bytea,
    version bigint NOT NULL,
    profile_version bigint NOT NULL,
    import_fingerprint bytea,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    erased_at timestamptz
);

CREATE INDEX customers_email_index ON customers (email_index, id) WHERE email_index IS NOT NULL;

-- The address book. At most one of a customer's is the default.
CREATE TABLE addresses (
    id uuid NOT NULL PRIMARY KEY,
    customer_id uuid NOT NULL,
    address bytea NOT NULL,
    is_default boolean NOT NULL,
    is_imported boolean NOT NULL,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE INDEX addresses_customer_id ON addresses (customer_id, id);
CREATE UNIQUE INDEX addresses_default_key ON addresses (customer_id) WHERE is_default;

-- Every yes and no, numbered per customer and purpose. Rows are only added.
CREATE TABLE consents (
    customer_id uuid NOT NULL,
    purpose text NOT NULL,
    number bigint NOT NULL,
    granted boolean NOT NULL,
    text_version text NOT NULL,
    source text NOT NULL,
    decided_at timestamptz NOT NULL,
    PRIMARY KEY (customer_id, purpose, number)
);

-- Who of the staff saw whose data. Rows are only added.
CREATE TABLE access_log (
    id uuid NOT NULL PRIMARY KEY,
    customer_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    action text NOT NULL,
    request_id text NOT NULL,
    accessed_at timestamptz NOT NULL
);

CREATE INDEX access_log_customer_id ON access_log (customer_id, id);
