//! Background work: payments of which something is not certain, and what providers have told.

use std::time::Duration;

use database::{BoxError, Next, WorkOptions};
use host::Worker;
use kernel::PaymentId;

use crate::config::WorkersConfig;
use crate::ops::{Payments, RESOLVE, WEBHOOKS};

/// The workers of this service.
pub(crate) fn workers(payments: &Payments, config: &WorkersConfig) -> Vec<Worker> {
    let options = WorkOptions {
        concurrency: config.concurrency,
        max_backoff: Duration::from_secs(config.max_backoff_s),
        ..WorkOptions::default()
    };
    let resolve = {
        let payments = payments.clone();
        move |item: database::DueItem| {
            let payments = payments.clone();
            async move { resolve(&payments, &item.key).await }
        }
    };
    let webhooks = {
        let payments = payments.clone();
        move |item: database::DueItem| {
            let payments = payments.clone();
            async move { process_webhooks(&payments, &item.key).await }
        }
    };
    vec![
        Worker::due(&payments.database, RESOLVE, options, resolve),
        Worker::due(&payments.database, WEBHOOKS, options, webhooks),
    ]
}

/// Looks after one payment.
pub(crate) async fn resolve(payments: &Payments, key: &str) -> Result<Next, BoxError> {
    let payment: PaymentId = key.parse()?;
    Ok(payments.resolve(payment).await?.map_or(Next::Done, Next::At))
}

/// Acts upon what was told about one payment.
pub(crate) async fn process_webhooks(payments: &Payments, key: &str) -> Result<Next, BoxError> {
    let payment: PaymentId = key.parse()?;
    let more = payments.process_webhooks(payment).await?;
    Ok(if more { Next::At(payments.now()) } else { Next::Done })
}
