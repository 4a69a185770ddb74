use std::collections::HashSet;
use std::time::Duration;

use database::{Database, OutboxEntry};
use tokio_util::sync::CancellationToken;

use crate::error::BusError;
use crate::hold::Hold;
use crate::log::nats::Nats;
use crate::store;

/// The name under which the relay keeps its position, beside the consumers'.
pub(crate) const RELAY: &str = "relay";
const BATCH: u32 = 256;
const POLL: Duration = Duration::from_secs(1);

/// Copies the outbox of `source` to its stream until `shutdown`. One copy of a service does so at
/// a time; a failure of NATS or the database is waited out.
pub(crate) async fn run(source: Database, nats: Nats, shutdown: CancellationToken) {
    let mut hold = Hold::new(source.clone(), "bus:relay".to_owned());
    while !shutdown.is_cancelled() {
        if let Err(error) = relay(&source, &nats, &mut hold, &shutdown).await {
            tracing::warn!(source = source.name(), error = %error, "relay interrupted");
            if !matches!(error, BusError::Database(_)) {
                hold.release().await;
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    hold.release().await;
}

/// Relays for as long as this copy holds the lease.
async fn relay(
    source: &Database,
    nats: &Nats,
    hold: &mut Hold,
    shutdown: &CancellationToken,
) -> Result<(), BusError> {
    if !hold.take().await? {
        return Ok(());
    }
    // A stream that was lost and made anew has another epoch: what the outbox still has is copied again.
    let epoch = nats.stream_epoch(source.name()).await?;
    let mut changes = source.outbox_changed();
    while !shutdown.is_cancelled() && hold.take().await? {
        let position = {
            let mut reader = source.read_primary().await?;
            store::position(&mut reader, RELAY, source.name(), &epoch).await?
        };
        let rows = source.outbox_after(position, BATCH).await?;
        if rows.is_empty() {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = changes.changed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
            continue;
        }
        let (stored, outcome) = publish(source.name(), nats, &rows).await;
        if let Some(last) = stored {
            let epoch = &epoch;
            source
                .write::<(), database::Error, _, _>(|mut tx| async move {
                    store::set_position(&mut tx, RELAY, source.name(), epoch, last).await?;
                    tx.commit(()).await
                })
                .await?;
        }
        outcome?;
    }
    Ok(())
}

/// Publishes `rows` many at a time, but never an event before the one before it of the same key is
/// stored. Answers with the position up to which all are stored.
async fn publish(source: &str, nats: &Nats, rows: &[OutboxEntry]) -> (Option<i64>, Result<(), BusError>) {
    let mut stored = None;
    let mut keys = HashSet::new();
    let mut pending = Vec::new();
    for row in rows {
        if !keys.insert(row.envelope.subject.as_str()) {
            if let Err(error) = settle(&mut pending, &mut stored).await {
                return (stored, Err(error));
            }
            keys.clear();
            keys.insert(row.envelope.subject.as_str());
        }
        match nats.publish(source, &row.envelope).await {
            Ok(ack) => pending.push((row.position, ack)),
            Err(error) => {
                let settled = settle(&mut pending, &mut stored).await;
                return (stored, settled.and(Err(error)));
            }
        }
    }
    let settled = settle(&mut pending, &mut stored).await;
    (stored, settled)
}

async fn settle(
    pending: &mut Vec<(i64, async_nats::jetstream::context::PublishAckFuture)>,
    stored: &mut Option<i64>,
) -> Result<(), BusError> {
    for (position, ack) in pending.drain(..) {
        ack.await.map_err(BusError::nats)?;
        *stored = Some(position);
    }
    Ok(())
}
