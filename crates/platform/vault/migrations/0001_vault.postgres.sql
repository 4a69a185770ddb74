-- Which master keys wrap what is below. The keys themselves are never here.
CREATE TABLE vault_master_keys (
    id bytea NOT NULL PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('active', 'retiring', 'retired')),
    created_at timestamptz NOT NULL
);

CREATE UNIQUE INDEX vault_master_keys_state ON vault_master_keys (state) WHERE state = 'active';

-- The root of every derived key, wrapped by a master key. One row.
CREATE TABLE vault_roots (
    id bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    wrapped bytea NOT NULL,
    master_id bytea NOT NULL
);

-- One data key per person, wrapped by a master key. Erasure empties wrapped and master_id and leaves the row
-- behind as a tombstone, so that the person never gets a second key.
CREATE TABLE vault_data_keys (
    person uuid NOT NULL PRIMARY KEY,
    key_id bytea NOT NULL,
    wrapped bytea,
    master_id bytea,
    created_at timestamptz NOT NULL,
    destroyed_at timestamptz,
    erasure bigint,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL)),
    CHECK ((wrapped IS NULL) = (master_id IS NULL)),
    CHECK ((wrapped IS NULL) = (erasure IS NOT NULL))
);

CREATE INDEX vault_data_keys_master_id ON vault_data_keys (master_id) WHERE master_id IS NOT NULL;
CREATE UNIQUE INDEX vault_data_keys_erasure ON vault_data_keys (erasure) WHERE erasure IS NOT NULL;

-- How many erasures there were. Each takes the next number while it holds this row, so that numbers become visible
-- in their order and a node that has seen one has seen all before it. One row.
CREATE TABLE vault_erasures (
    id bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    latest bigint NOT NULL
);

INSERT INTO vault_erasures (id, latest) VALUES (1, 0);

-- Keys that sign tokens: Ed25519, the private half wrapped by a master key. Deleted once no longer published.
CREATE TABLE vault_signing_keys (
    kid text NOT NULL PRIMARY KEY,
    purpose text NOT NULL,
    public_key bytea NOT NULL,
    wrapped bytea NOT NULL,
    master_id bytea NOT NULL,
    created_at timestamptz NOT NULL,
    active_from timestamptz NOT NULL
);

CREATE INDEX vault_signing_keys_purpose ON vault_signing_keys (purpose, active_from);
