use database::columns::Column;

/// Every column of the service's tables. The log tells what happened to whose order and when, and
/// forgets it within days.
pub const COLUMNS: &[Column] = database::columns![
    log {
        position: Public Deleted,
        topic: Public Deleted,
        subject: Personal Deleted,
        kind: Public Deleted,
        data: Personal Deleted,
        at: Public Deleted,
    },
    epochs { id: Public Kept, epoch: Public Kept, oldest: Public Kept },
];
