-- What each column holds and what erasure does to it stands in src/store/columns.rs.

-- Everybody who bought or may buy. Address, name and profile are sealed under the person's key.
CREATE TABLE customers (
    id BLOB NOT NULL PRIMARY KEY,
    email BLOB,
    email_index BLOB,
    signup_name BLOB,
    profile BLOB,
    version INTEGER NOT NULL,
    profile_version INTEGER NOT NULL,
    import_fingerprint BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    erased_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX customers_email_index ON customers (email_index, id) WHERE email_index IS NOT NULL;

-- The address book. At most one of a customer's is the default.
CREATE TABLE addresses (
    id BLOB NOT NULL PRIMARY KEY,
    customer_id BLOB NOT NULL,
    address BLOB NOT NULL,
    is_default INTEGER NOT NULL,
    is_imported INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX addresses_customer_id ON addresses (customer_id, id);
CREATE UNIQUE INDEX addresses_default_key ON addresses (customer_id) WHERE is_default = 1;

-- Every yes and no, numbered per customer and purpose. Rows are only added.
CREATE TABLE consents (
    customer_id BLOB NOT NULL,
    purpose TEXT NOT NULL,
    number INTEGER NOT NULL,
    granted INTEGER NOT NULL,
    text_version TEXT NOT NULL,
    source TEXT NOT NULL,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (customer_id, purpose, number)
) STRICT, WITHOUT ROWID;

-- Who of the staff saw whose data. Rows are only added.
CREATE TABLE access_log (
    id BLOB NOT NULL PRIMARY KEY,
    customer_id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    action TEXT NOT NULL,
    request_id TEXT NOT NULL,
    accessed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_log_customer_id ON access_log (customer_id, id);
