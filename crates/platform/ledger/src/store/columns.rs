use database::columns::Column;

/// Every column of the ledger's tables, for the owning service to add to its own. A `reference` is the
/// owner's word; keep people out of it.
pub const COLUMNS: &[Column] = database::columns![
    ledger_accounts {
        id: Public Kept,
        unit: Public Kept,
        kind: Public Kept,
        guard: Public Kept,
        debits_pending: Public Kept,
        debits_posted: Public Kept,
        credits_pending: Public Kept,
        credits_posted: Public Kept,
    },
    ledger_transfers {
        id: Public Kept,
        kind: Public Kept,
        debit_id: Public Kept,
        credit_id: Public Kept,
        amount: Public Kept,
        reference: Public Kept,
        recorded_at: Public Kept,
        pending_id: Public Kept,
        expires_at: Public Kept,
        resolution: Public Kept,
    },
];
