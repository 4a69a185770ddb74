use database::columns::Column;

/// Every column of the vault's tables. A person's row stays as a tombstone when they are erased: a bare id
/// that leads nowhere any more.
pub const COLUMNS: &[Column] = database::columns![
    vault_master_keys { id: Public Kept, state: Public Kept, created_at: Public Kept },
    vault_roots { id: Public Kept, wrapped: Secret Kept, master_id: Public Kept },
    vault_data_keys {
        person: Personal Kept,
        key_id: Public Kept,
        wrapped: Secret Emptied,
        master_id: Public Emptied,
        created_at: Public Kept,
        destroyed_at: Public Kept,
        erasure: Public Kept,
    },
    vault_erasures { id: Public Kept, latest: Public Kept },
    vault_signing_keys {
        kid: Public Kept,
        purpose: Public Kept,
        public_key: Public Kept,
        wrapped: Secret Kept,
        master_id: Public Kept,
        created_at: Public Kept,
        active_from: Public Kept,
    },
];
