use database::columns::Column;

/// Every column of the service's tables. Once a person is erased, an answer names nobody, and what they
/// wrote in their own words is gone with their key; numbers and choices stay.
pub const COLUMNS: &[Column] = database::columns![
    polls {
        id: Public Kept,
        placement: Public Kept,
        title: Public Kept,
        questions: Public Kept,
        status: Public Kept,
        version: Public Kept,
        created_at: Public Kept,
    },
    purchases {
        order_id: Personal Deleted,
        customer_id: Personal Deleted,
        placed_at: Personal Deleted,
        expires_at: Personal Deleted,
    },
    answers {
        id: Public Kept,
        poll_id: Public Kept,
        order_id: Public Kept,
        customer_id: Personal Emptied,
        answers: Public Kept,
        texts: Personal Sealed,
        created_at: Public Kept,
    },
    tallies { poll_id: Public Kept, question_id: Public Kept, value: Public Kept, times: Public Kept },
];
