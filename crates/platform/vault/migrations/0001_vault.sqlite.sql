-- Which master keys wrap what is below. The keys themselves are never here.
CREATE TABLE vault_master_keys (
    id BLOB NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('active', 'retiring', 'retired')),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX vault_master_keys_state ON vault_master_keys (state) WHERE state = 'active';

-- The root of every derived key, wrapped by a master key. One row.
CREATE TABLE vault_roots (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    wrapped BLOB NOT NULL,
    master_id BLOB NOT NULL
) STRICT;

-- One data key per person, wrapped by a master key. Erasure empties wrapped and master_id and leaves the row
-- behind as a tombstone, so that the person never gets a second key.
CREATE TABLE vault_data_keys (
    person BLOB NOT NULL PRIMARY KEY,
    key_id BLOB NOT NULL,
    wrapped BLOB,
    master_id BLOB,
    created_at INTEGER NOT NULL,
    destroyed_at INTEGER,
    erasure INTEGER,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL)),
    CHECK ((wrapped IS NULL) = (master_id IS NULL)),
    CHECK ((wrapped IS NULL) = (erasure IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX vault_data_keys_master_id ON vault_data_keys (master_id) WHERE master_id IS NOT NULL;
CREATE UNIQUE INDEX vault_data_keys_erasure ON vault_data_keys (erasure) WHERE erasure IS NOT NULL;

-- How many erasures there were. Each takes the next number while it holds this row, so that numbers become visible
-- in their order and a node that has seen one has seen all before it. One row.
CREATE TABLE vault_erasures (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    latest INTEGER NOT NULL
) STRICT;

INSERT INTO vault_erasures (id, latest) VALUES (1, 0);

-- Keys that sign tokens: Ed25519, the private half wrapped by a master key. Deleted once no longer published.
CREATE TABLE vault_signing_keys (
    kid TEXT NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    public_key BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    master_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    active_from INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX vault_signing_keys_purpose ON vault_signing_keys (purpose, active_from);
