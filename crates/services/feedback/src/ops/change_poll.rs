use database::Tx;
use kernel::PollId;
use web::IfMatch;

use crate::error::Error;
use crate::model::{Poll, Status};
use crate::store;

/// What of a poll shall change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) title: Option<String>,
    pub(crate) status: Option<Status>,
}

/// Changes the poll at the version that `expected` names. When nothing changes the version stays.
///
/// # Errors
/// [`Error::PollNotFound`], [`Error::Stale`].
pub(crate) async fn change_poll(
    tx: &mut Tx,
    id: PollId,
    expected: IfMatch,
    change: &Change,
) -> Result<Poll, Error> {
    let before = store::polls::find(tx, id).await?.ok_or(Error::PollNotFound)?;
    expected.check(before.version)?;
    let mut poll = before.clone();
    poll.title = change.title.clone().unwrap_or(poll.title);
    poll.status = change.status.unwrap_or(poll.status);
    if poll != before {
        poll.version += 1;
        store::polls::update(tx, &poll).await?;
    }
    Ok(poll)
}
