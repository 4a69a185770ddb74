CREATE TABLE carts (
    id BLOB NOT NULL PRIMARY KEY,
    -- None for a guest: whoever knows the id may use the cart.
    customer_id BLOB UNIQUE,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX carts_idle ON carts (updated_at) WHERE customer_id IS NULL;

CREATE TABLE cart_lines (
    cart_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    variant_id BLOB NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    PRIMARY KEY (cart_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkouts (
    id BLOB NOT NULL PRIMARY KEY,
    order_id BLOB NOT NULL UNIQUE,
    payment_id BLOB NOT NULL,
    -- The refund that a cancellation asks for, chosen beforehand so that asking twice refunds once.
    refund_id BLOB NOT NULL,
    number TEXT NOT NULL UNIQUE,
    cart_id BLOB NOT NULL,
    cart_version INTEGER NOT NULL,
    customer_id BLOB,
    -- Under whose key personal data is sealed: the customer, or the guest of this one order.
    person_id BLOB NOT NULL,
    -- Hash of caller, Idempotency-Key and request: a repetition after a crash finds its checkout.
    request_key BLOB,
    -- Keyed hash of what was asked for: the same cart paid for in the same way is the same checkout.
    request_hash BLOB NOT NULL,
    stage TEXT NOT NULL,
    turned_back_at TEXT,
    failure TEXT,
    payment_status TEXT,
    next_action TEXT,
    attempts INTEGER NOT NULL,
    wake_at INTEGER,
    expires_at INTEGER NOT NULL,
    -- Until when one driver has it to itself.
    leased_until INTEGER,
    -- Counts the changes of the saga; a driver that was overtaken finds another number and stops.
    version INTEGER NOT NULL,
    lines TEXT NOT NULL,
    totals TEXT NOT NULL,
    -- Sealed: addresses, email, note.
    details BLOB NOT NULL,
    -- Sealed: what is paid with. Gone when the checkout has ended.
    method BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One order per state of a cart, and one checkout of a cart at a time.
CREATE UNIQUE INDEX checkouts_cart_version ON checkouts (cart_id, cart_version) WHERE turned_back_at IS NULL;
CREATE UNIQUE INDEX checkouts_cart_live ON checkouts (cart_id) WHERE turned_back_at IS NULL AND stage <> 'done';
CREATE INDEX checkouts_request ON checkouts (request_key) WHERE request_key IS NOT NULL;
CREATE INDEX checkouts_undone ON checkouts (updated_at) WHERE stage = 'undone';
CREATE INDEX checkouts_customer ON checkouts (customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE orders (
    id BLOB NOT NULL PRIMARY KEY,
    number TEXT NOT NULL UNIQUE,
    -- What another system called it, for history that was taken over.
    external_id TEXT UNIQUE,
    customer_id BLOB,
    person_id BLOB,
    checkout_id BLOB UNIQUE,
    payment_id BLOB,
    status TEXT NOT NULL,
    payment_status TEXT NOT NULL,
    fulfilment_status TEXT NOT NULL,
    currency TEXT NOT NULL,
    subtotal INTEGER NOT NULL,
    discount INTEGER NOT NULL,
    shipping INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    total INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    placed_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    -- Number, titles and stock keeping units, folded: what a search in one's own history looks at.
    search_text TEXT NOT NULL,
    -- Sealed: addresses, email, note.
    details BLOB,
    -- Sealed: why it was cancelled, in the person's own words.
    cancel_note BLOB
) STRICT, WITHOUT ROWID;

CREATE INDEX orders_history ON orders (customer_id, placed_at, id) WHERE customer_id IS NOT NULL;
CREATE INDEX orders_placed ON orders (placed_at, id);
CREATE INDEX orders_status ON orders (status, placed_at, id);
CREATE INDEX orders_payment_status ON orders (payment_status, placed_at, id);
CREATE INDEX orders_fulfilment_status ON orders (fulfilment_status, placed_at, id);

CREATE TABLE order_lines (
    order_id BLOB NOT NULL,
    position INTEGER NOT NULL,
    variant_id BLOB,
    product_id BLOB,
    seller_id BLOB,
    sku TEXT NOT NULL,
    title TEXT NOT NULL,
    brand TEXT NOT NULL,
    category TEXT,
    quantity INTEGER NOT NULL,
    fulfilled INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    total INTEGER NOT NULL,
    tax INTEGER NOT NULL,
    tax_basis_points INTEGER NOT NULL,
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

-- Which sellers have lines in an order, so that a seller's orders are found in the order of their dates.
CREATE TABLE order_sellers (
    seller_id BLOB NOT NULL,
    placed_at INTEGER NOT NULL,
    order_id BLOB NOT NULL,
    PRIMARY KEY (seller_id, placed_at, order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_events (
    order_id BLOB NOT NULL,
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    data TEXT NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (order_id, sequence)
) STRICT, WITHOUT ROWID;
