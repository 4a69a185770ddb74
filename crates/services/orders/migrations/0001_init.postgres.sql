CREATE TABLE carts (
    id uuid NOT NULL PRIMARY KEY,
    -- None for a guest: whoever knows the id may use the cart.
    customer_id uuid UNIQUE,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

CREATE INDEX carts_idle ON carts (updated_at) WHERE customer_id IS NULL;

CREATE TABLE cart_lines (
    cart_id uuid NOT NULL,
    position bigint NOT NULL,
    variant_id uuid NOT NULL,
    quantity bigint NOT NULL CHECK (quantity BETWEEN 1 AND 999),
    PRIMARY KEY (cart_id, position)
);

CREATE TABLE checkouts (
    id uuid NOT NULL PRIMARY KEY,
    order_id uuid NOT NULL UNIQUE,
    payment_id uuid NOT NULL,
    -- The refund that a cancellation asks for, chosen beforehand so that asking twice refunds once.
    refund_id uuid NOT NULL,
    number text NOT NULL UNIQUE,
    cart_id uuid NOT NULL,
    cart_version bigint NOT NULL,
    customer_id uuid,
    -- Under whose key personal data is sealed: the customer, or the guest of this one order.
    person_id uuid NOT NULL,
    -- Hash of caller, Idempotency-Key and request: a repetition after a crash finds its checkout.
    request_key bytea,
    -- Keyed hash of what was asked for: the same cart paid for in the same way is the same checkout.
    request_hash bytea NOT NULL,
    stage text NOT NULL,
    turned_back_at text,
    failure jsonb,
    payment_status text,
    next_action jsonb,
    attempts bigint NOT NULL,
    wake_at timestamptz,
    expires_at timestamptz NOT NULL,
    -- Until when one driver has it to itself.
    leased_until timestamptz,
    -- Counts the changes of the saga; a driver that was overtaken finds another number and stops.
    version bigint NOT NULL,
    lines jsonb NOT NULL,
    totals jsonb NOT NULL,
    -- Sealed: addresses, email, note.
    details bytea NOT NULL,
    -- Sealed: what is paid with. Gone when the checkout has ended.
    method bytea,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- One order per state of a cart, and one checkout of a cart at a time.
CREATE UNIQUE INDEX checkouts_cart_version ON checkouts (cart_id, cart_version) WHERE turned_back_at IS NULL;
CREATE UNIQUE INDEX checkouts_cart_live ON checkouts (cart_id) WHERE turned_back_at IS NULL AND stage <> 'done';
CREATE INDEX checkouts_request ON checkouts (request_key) WHERE request_key IS NOT NULL;
CREATE INDEX checkouts_undone ON checkouts (updated_at) WHERE stage = 'undone';
CREATE INDEX checkouts_customer ON checkouts (customer_id) WHERE customer_id IS NOT NULL;

CREATE TABLE orders (
    id uuid NOT NULL PRIMARY KEY,
    number text NOT NULL UNIQUE,
    -- What another system called it, for history that was taken over.
    external_id text UNIQUE,
    customer_id uuid,
    person_id uuid,
    checkout_id uuid UNIQUE,
    payment_id uuid,
    status text NOT NULL,
    payment_status text NOT NULL,
    fulfilment_status text NOT NULL,
    currency text NOT NULL,
    subtotal bigint NOT NULL,
    discount bigint NOT NULL,
    shipping bigint NOT NULL,
    tax bigint NOT NULL,
    total bigint NOT NULL,
    refunded bigint NOT NULL,
    placed_at timestamptz NOT NULL,
    version bigint NOT NULL,
    -- Number, titles and stock keeping units, folded: what a search in one's own history looks at.
    search_text text NOT NULL,
    -- Sealed: addresses, email, note.
    details bytea,
    -- Sealed: why it was cancelled, in the person's own words.
    cancel_note bytea
);

CREATE INDEX orders_history ON orders (customer_id, placed_at, id) WHERE customer_id IS NOT NULL;
CREATE INDEX orders_placed ON orders (placed_at, id);
CREATE INDEX orders_status ON orders (status, placed_at, id);
CREATE INDEX orders_payment_status ON orders (payment_status, placed_at, id);
CREATE INDEX orders_fulfilment_status ON orders (fulfilment_status, placed_at, id);

CREATE TABLE order_lines (
    order_id uuid NOT NULL,
    position bigint NOT NULL,
    variant_id uuid,
    product_id uuid,
    seller_id uuid,
    sku text NOT NULL,
    title text NOT NULL,
    brand text NOT NULL,
    category text,
    quantity bigint NOT NULL,
    fulfilled bigint NOT NULL,
    unit_price bigint NOT NULL,
    total bigint NOT NULL,
    tax bigint NOT NULL,
    tax_basis_points bigint NOT NULL,
    PRIMARY KEY (order_id, position)
);

-- Which sellers have lines in an order, so that a seller's orders are found in the order of their dates.
CREATE TABLE order_sellers (
    seller_id uuid NOT NULL,
    placed_at timestamptz NOT NULL,
    order_id uuid NOT NULL,
    PRIMARY KEY (seller_id, placed_at, order_id)
);

CREATE TABLE order_events (
    order_id uuid NOT NULL,
    sequence bigint NOT NULL,
    type text NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    data jsonb NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (order_id, sequence)
);
