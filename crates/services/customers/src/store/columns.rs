//! What each column holds, and what erasing a person does to it.

use database::columns::Column;

/// Every column of this service.
///
/// Of an erased customer the row stays with nothing in it but its id and when it went, so that the
/// id can never come back. Who saw whose data stays as well: without the rest it names nobody.
pub const COLUMNS: &[Column] = database::columns![
    customers {
        id: Personal Kept,
        email: Personal Emptied,
        email_index: Secret Emptied,
        signup_name: Personal Emptied,
        profile: Personal Emptied,
        version: Public Kept,
        profile_version: Public Kept,
        import_fingerprint: Secret Emptied,
        created_at: Public Kept,
        updated_at: Public Kept,
        erased_at: Public Kept,
    },
    addresses {
        id: Public Deleted,
        customer_id: Personal Deleted,
        address: Personal Deleted,
        is_default: Public Deleted,
        is_imported: Public Deleted,
        version: Public Deleted,
        created_at: Public Deleted,
        updated_at: Public Deleted,
    },
    consents {
        customer_id: Personal Deleted,
        purpose: Personal Deleted,
        number: Public Deleted,
        granted: Personal Deleted,
        text_version: Public Deleted,
        source: Public Deleted,
        decided_at: Public Deleted,
    },
    access_log {
        id: Public Kept,
        customer_id: Personal Kept,
        staff_id: Personal Kept,
        action: Public Kept,
        request_id: Public Kept,
        accessed_at: Public Kept,
    },
];

#[cfg(test)]
mod tests {
    use database::columns::differences;

    use super::COLUMNS;
    use crate::store::MIGRATIONS;

    testkit::on_both_engines! {
        async fn every_column_is_declared(db: testkit::TestDatabase) {
            db.migrate("customers", MIGRATIONS).await.unwrap();
            assert_eq!(differences(COLUMNS, &db.schema_columns().await.unwrap()), Vec::<String>::new());
        }
    }
}
