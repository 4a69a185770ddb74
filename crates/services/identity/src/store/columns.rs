use database::columns::Column;

/// Every column of this service.
///
/// A sign-up and a recovery are not erased but run out within a day. Audit entries stay: without
/// the person's key and the address index they tell that something happened, not to whom.
pub const COLUMNS: &[Column] = database::columns![
    accounts {
        id: Personal Deleted,
        kind: Public Deleted,
        roles: Public Deleted,
        seller_id: Public Deleted,
        address_index: Secret Deleted,
        address: Personal Deleted,
        verified_at: Public Deleted,
        password_hash: Secret Deleted,
        password_set_at: Public Deleted,
        created_at: Public Deleted,
    },
    signups {
        id: Public Deleted,
        customer_id: Personal Deleted,
        address_index: Secret Deleted,
        contact: Personal Deleted,
        password_hash: Secret Deleted,
        token_hash: Secret Deleted,
        code_hash: Secret Deleted,
        tries: Public Deleted,
        created_at: Public Deleted,
        code_expires_at: Public Deleted,
        expires_at: Public Deleted,
    },
    recoveries {
        token_hash: Secret Deleted,
        account_id: Personal Deleted,
        created_at: Public Deleted,
        expires_at: Public Deleted,
    },
    sessions {
        id: Personal Kept,
        account_id: Personal Kept,
        device: Personal Sealed,
        method: Public Kept,
        seed: Secret Kept,
        issued: Public Kept,
        used: Public Kept,
        open_from: Public Kept,
        created_at: Public Kept,
        last_used_at: Public Kept,
        ends_at: Public Kept,
        not_issued_before: Public Kept,
        ended_at: Public Kept,
    },
    audit_events {
        id: Public Kept,
        at: Public Kept,
        action: Public Kept,
        outcome: Public Kept,
        reason: Public Kept,
        method: Public Kept,
        account: Personal Kept,
        address_index: Secret Emptied,
        session_id: Personal Kept,
        device: Personal Sealed,
        request_id: Public Kept,
        sequence: Public Kept,
        hash: Public Kept,
    },
];
