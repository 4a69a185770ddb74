CREATE TABLE sellers (
    id BLOB NOT NULL PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- title_key, brand_key and price_min follow from the rest; lists are ordered and filtered by them.
CREATE TABLE products (
    id BLOB NOT NULL PRIMARY KEY,
    handle TEXT NOT NULL UNIQUE,
    seller_id BLOB NOT NULL REFERENCES sellers (id),
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    brand TEXT NOT NULL,
    categories TEXT NOT NULL,
    ingredients TEXT,
    images TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    version INTEGER NOT NULL CHECK (version > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title_key TEXT NOT NULL,
    brand_key TEXT NOT NULL,
    price_min INTEGER NOT NULL CHECK (price_min >= 0)
) STRICT;

CREATE INDEX products_newest ON products (status, created_at, id);
CREATE INDEX products_all ON products (created_at, id);
CREATE INDEX products_price ON products (status, price_min, id);
CREATE INDEX products_title ON products (status, title_key, id);
CREATE INDEX products_brand ON products (brand_key, status, created_at, id);
CREATE INDEX products_seller ON products (seller_id, status, created_at, id);

-- A row for each category of a product and for each category above it: face/foundation and face.
CREATE TABLE product_categories (
    path TEXT NOT NULL,
    product_id BLOB NOT NULL REFERENCES products (id),
    PRIMARY KEY (path, product_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX product_categories_product ON product_categories (product_id);

-- A variant is never deleted, since orders and the ledger name it; one that is sold no longer is retired.
-- in_stock repeats what the ledger knows, so that lists can be filtered by it.
CREATE TABLE variants (
    id BLOB NOT NULL PRIMARY KEY,
    product_id BLOB NOT NULL REFERENCES products (id),
    sku TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    options TEXT NOT NULL,
    price_amount INTEGER NOT NULL CHECK (price_amount >= 0),
    price_currency TEXT NOT NULL,
    position INTEGER NOT NULL,
    retired INTEGER NOT NULL CHECK (retired IN (0, 1)),
    in_stock INTEGER NOT NULL CHECK (in_stock IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX variants_product ON variants (product_id, position);

-- What a checkout holds, or held. The quantities themselves are pending transfers of the ledger.
CREATE TABLE reservations (
    checkout_id BLOB NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('held', 'committed', 'restocked', 'released', 'expired')),
    lines TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX reservations_due ON reservations (expires_at) WHERE state = 'held';
