CREATE TABLE sellers (
    id uuid NOT NULL PRIMARY KEY,
    handle text COLLATE "C" NOT NULL UNIQUE,
    name text NOT NULL,
    created_at timestamptz NOT NULL
);

-- title_key, brand_key and price_min follow from the rest; lists are ordered and filtered by them.
CREATE TABLE products (
    id uuid NOT NULL PRIMARY KEY,
    handle text COLLATE "C" NOT NULL UNIQUE,
    seller_id uuid NOT NULL REFERENCES sellers (id),
    title text NOT NULL,
    description text NOT NULL,
    brand text NOT NULL,
    categories jsonb NOT NULL,
    ingredients text,
    images jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'active', 'archived')),
    version bigint NOT NULL CHECK (version > 0),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    title_key text COLLATE "C" NOT NULL,
    brand_key text COLLATE "C" NOT NULL,
    price_min bigint NOT NULL CHECK (price_min >= 0)
);

CREATE INDEX products_newest ON products (status, created_at, id);
CREATE INDEX products_all ON products (created_at, id);
CREATE INDEX products_price ON products (status, price_min, id);
CREATE INDEX products_title ON products (status, title_key, id);
CREATE INDEX products_brand ON products (brand_key, status, created_at, id);
CREATE INDEX products_seller ON products (seller_id, status, created_at, id);

-- A row for each category of a product and for each category above it: face/foundation and face.
CREATE TABLE product_categories (
    path text COLLATE "C" NOT NULL,
    product_id uuid NOT NULL REFERENCES products (id),
    PRIMARY KEY (path, product_id)
);

CREATE INDEX product_categories_product ON product_categories (product_id);

-- A variant is never deleted, since orders and the ledger name it; one that is sold no longer is retired.
-- in_stock repeats what the ledger knows, so that lists can be filtered by it.
CREATE TABLE variants (
    id uuid NOT NULL PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES products (id),
    sku text NOT NULL UNIQUE,
    title text NOT NULL,
    options jsonb NOT NULL,
    price_amount bigint NOT NULL CHECK (price_amount >= 0),
    price_currency text NOT NULL,
    position bigint NOT NULL,
    retired boolean NOT NULL,
    in_stock boolean NOT NULL
);

CREATE INDEX variants_product ON variants (product_id, position);

-- What a checkout holds, or held. The quantities themselves are pending transfers of the ledger.
CREATE TABLE reservations (
    checkout_id uuid NOT NULL PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('held', 'committed', 'restocked', 'released', 'expired')),
    lines jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE INDEX reservations_due ON reservations (expires_at) WHERE state = 'held';
