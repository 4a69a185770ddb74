use database::columns::Column;

/// Every column of the service's own tables; the ledger declares its own. The catalogue knows nothing about persons but the checkouts
/// that hold stock, and a checkout's id tells nothing to who does not have the order.
pub const COLUMNS: &[Column] = database::columns![
    sellers { id: Public Kept, handle: Public Kept, name: Public Kept, created_at: Public Kept },
    products {
        id: Public Kept,
        handle: Public Kept,
        seller_id: Public Kept,
        title: Public Kept,
        description: Public Kept,
        brand: Public Kept,
        categories: Public Kept,
        ingredients: Public Kept,
        images: Public Kept,
        status: Public Kept,
        version: Public Kept,
        created_at: Public Kept,
        updated_at: Public Kept,
        title_key: Public Kept,
        brand_key: Public Kept,
        price_min: Public Kept,
    },
    product_categories { path: Public Kept, product_id: Public Kept },
    variants {
        id: Public Kept,
        product_id: Public Kept,
        sku: Public Kept,
        title: Public Kept,
        options: Public Kept,
        price_amount: Public Kept,
        price_currency: Public Kept,
        position: Public Kept,
        retired: Public Kept,
        in_stock: Public Kept,
    },
    reservations {
        checkout_id: Public Kept,
        state: Public Kept,
        lines: Public Kept,
        created_at: Public Kept,
        expires_at: Public Kept,
    },
];
