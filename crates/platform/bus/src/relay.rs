use std::collections::HashSet;
use std::time::Duration;

use database::{Database, Lease, OutboxEntry};
use tokio_util::sync::CancellationToken;

use crate::error::BusError;
use crate::log::nats::Nats;
use crate::log::outbox::EPOCH;
use crate::store;

/// The name under which the relay keeps its position, beside the consumers'.
pub(crate) const RELAY: &str = "relay";
const LEASE: Duration = Duration::from_secs(15);
const BATCH: u32 = 256;
const POLL: Duration = Duration::from_secs(1);

/// Copies the outbox of `source` to its stream until `shutdown`. One copy of a service does so at
/// a time; a failure of NATS or the database is waited out.
pub(crate) async fn run(source: Database, nats: Nats, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        if let Err(error) = hold_and_relay(&source, &nats, &shutdown).await {
            tracing::warn!(source = source.name(), error = %error, "relay interrupted");
        }
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
}

async fn hold_and_relay(
    source: &Database,
    nats: &Nats,
    shutdown: &CancellationToken,
) -> Result<(), BusError> {
    let Some(lease) = source.lease("bus:relay", LEASE).await? else { return Ok(()) };
    let outcome = relay(source, nats, &lease, shutdown).await;
    lease.release().await?;
    outcome
}

async fn relay(
    source: &Database,
    nats: &Nats,
    lease: &Lease,
    shutdown: &CancellationToken,
) -> Result<(), BusError> {
    nats.ensure_stream(source.name()).await?;
    let mut changes = source.outbox_changed();
    let mut renewed = source.clock().now();
    while !shutdown.is_cancelled() {
        let now = source.clock().now();
        if now.since(renewed) > LEASE / 3 {
            if !lease.renew().await? {
                return Ok(());
            }
            renewed = now;
        }
        let position = {
            let mut reader = source.read_primary().await?;
            store::position(&mut reader, RELAY, source.name(), EPOCH).await?
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
            source
                .write::<(), database::Error, _, _>(|mut tx| async move {
                    store::set_position(&mut tx, RELAY, source.name(), EPOCH, last).await?;
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
