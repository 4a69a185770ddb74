//! What each column holds, and what erasing a person does to it.

use database::columns::Column;

/// Every column of this service.
pub const COLUMNS: &[Column] = database::columns![
    // A customer's cart is deleted; a guest's is nobody's and goes when it is idle.
    carts {
        id: Secret Deleted, customer_id: Personal Deleted, version: Public Deleted,
        created_at: Public Deleted, updated_at: Public Deleted,
    },
    cart_lines {
        cart_id: Secret Deleted, position: Public Deleted, variant_id: Public Deleted,
        quantity: Public Deleted,
    },
    checkouts {
        id: Public Kept, order_id: Public Kept, payment_id: Public Kept, refund_id: Public Kept,
        number: Public Kept, cart_id: Secret Kept, cart_version: Public Kept,
        // The name of a person of whom nothing else is left.
        customer_id: Personal Kept, person_id: Personal Kept,
        request_key: Secret Kept, request_hash: Secret Kept, stage: Public Kept,
        turned_back_at: Public Kept, failure: Public Kept, payment_status: Public Kept,
        next_action: Secret Kept, attempts: Public Kept, wake_at: Public Kept, expires_at: Public Kept,
        leased_until: Public Kept, version: Public Kept, lines: Public Kept, totals: Public Kept,
        details: Personal Sealed, method: Secret Sealed, created_at: Public Kept, updated_at: Public Kept,
    },
    orders {
        id: Public Kept, number: Public Kept, external_id: Public Kept,
        customer_id: Personal Kept, person_id: Personal Kept,
        checkout_id: Public Kept, payment_id: Public Kept, status: Public Kept,
        payment_status: Public Kept, fulfilment_status: Public Kept, currency: Public Kept,
        subtotal: Public Kept, discount: Public Kept, shipping: Public Kept, tax: Public Kept,
        total: Public Kept, refunded: Public Kept, placed_at: Public Kept, version: Public Kept,
        search_text: Public Kept, details: Personal Sealed, cancel_note: Personal Sealed,
    },
    order_lines {
        order_id: Public Kept, position: Public Kept, variant_id: Public Kept, product_id: Public Kept,
        seller_id: Public Kept, sku: Public Kept, title: Public Kept, brand: Public Kept,
        category: Public Kept, quantity: Public Kept, fulfilled: Public Kept, unit_price: Public Kept,
        total: Public Kept, tax: Public Kept, tax_basis_points: Public Kept,
    },
    order_sellers { seller_id: Public Kept, placed_at: Public Kept, order_id: Public Kept },
    order_events {
        order_id: Public Kept, sequence: Public Kept, type: Public Kept, at: Public Kept,
        actor: Personal Kept, data: Public Kept, hash: Public Kept,
    },
];

#[cfg(test)]
mod tests {
    use database::columns::differences;
    use testkit::TestDatabase;

    use super::COLUMNS;
    use crate::store::MIGRATIONS;

    testkit::on_both_engines! {
        async fn every_column_is_declared(db: TestDatabase) {
            db.migrate("orders", MIGRATIONS).await.unwrap();
            assert_eq!(differences(COLUMNS, &db.schema_columns().await.unwrap()), Vec::<String>::new());
        }
    }
}
