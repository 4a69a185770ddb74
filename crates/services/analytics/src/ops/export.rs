use kernel::{CustomerId, Limit};
use serde::Serialize;
use web::Handled;

use super::{RawEvent, open_events};
use crate::service::State;
use crate::store::{self, EventFilter, RejectedEvent, RejectedFilter, StoredEvent};

/// The most bytes of messages that an export holds: what another service reads as one answer is bounded.
const MOST_BYTES: usize = 6 * 1024 * 1024;

/// Everything that is held about a person, the last first.
#[derive(Serialize)]
pub(crate) struct Export {
    /// What they did, as it was sent or as the shop recorded it.
    events: Vec<RawEvent>,
    /// What was sent with their id and not taken.
    refused: Vec<RejectedEvent>,
    /// Whether that is all. There may be so much that only the last of it is told.
    complete: bool,
}

/// Gathers what is held about `customer`. Not what their browser sent before it said who they are: others
/// may use it as well.
pub(crate) async fn export(state: &State, customer: CustomerId) -> Handled<Export> {
    let mut export = Export { events: Vec::new(), refused: Vec::new(), complete: true };
    let limit = Limit::new(Limit::MAX).unwrap_or_default();
    let mut bytes = 0;

    let filter = EventFilter { customer: Some(customer), ..EventFilter::default() };
    let mut after = None;
    loop {
        let mut reader = state.database.read().await?;
        let mut rows = store::recent(&mut reader, &filter, after, limit).await?;
        drop(reader);
        let more = rows.len() > limit.get();
        rows.truncate(limit.get());
        after = rows.last().map(|row| row.id);
        bytes += rows.iter().map(StoredEvent::bytes).sum::<usize>();
        export.events.extend(open_events(&state.vault, rows).await?);
        if !more {
            break;
        }
        if bytes > MOST_BYTES {
            export.complete = false;
            return Ok(export);
        }
    }

    let filter = RejectedFilter { customer: Some(customer), ..RejectedFilter::default() };
    let mut reader = state.database.read().await?;
    let mut rows = store::rejected(&mut reader, &filter, None, limit).await?;
    export.complete = rows.len() <= limit.get();
    rows.truncate(limit.get());
    export.refused = rows;
    Ok(export)
}
