use database::columns::Column;

/// Every column of the service's tables. Raw events are deleted with the person and expire by themselves;
/// the counts name nobody.
pub const COLUMNS: &[Column] = database::columns![
    events {
        id: Public Deleted,
        source: Public Deleted,
        message_id: Public Deleted,
        type: Public Deleted,
        event: Public Deleted,
        user_id: Personal Deleted,
        anonymous_id: Personal Deleted,
        customer_id: Personal Deleted,
        occurred_at: Public Deleted,
        received_at: Public Deleted,
        message: Personal Deleted,
        personal: Personal Sealed,
    },
    rejected_events {
        id: Public Deleted,
        source: Public Deleted,
        message_id: Public Deleted,
        code: Public Deleted,
        detail: Public Deleted,
        customer_id: Personal Deleted,
        received_at: Public Deleted,
        message: Personal Deleted,
    },
    events_daily { day: Public Kept, event: Public Kept, source: Public Kept, count: Public Kept },
    revenue_daily {
        day: Public Kept,
        currency: Public Kept,
        orders: Public Kept,
        units: Public Kept,
        revenue: Public Kept,
        shipping: Public Kept,
        tax: Public Kept,
        discount: Public Kept,
        total: Public Kept,
        cancelled_orders: Public Kept,
        cancelled: Public Kept,
        refund_count: Public Kept,
        refunded: Public Kept,
    },
];
