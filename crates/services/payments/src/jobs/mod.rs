//! Background work: payments of which something is not certain, and what providers have told.

pub(crate) mod upkeep;

use std::time::Duration;

use database::{BoxError, Next, WorkOptions};
use host::Worker;
use kernel::PaymentId;

use crate::config::Config;
use crate::ops::{Payments, RESOLVE, WEBHOOKS};

/// The workers of this service.
pub(crate) fn workers(payments: &Payments, config: &Config) -> Vec<Worker> {
    let options = WorkOptions {
        concurrency: config.workers.concurrency,
        max_backoff: Duration::from_secs(config.workers.max_backoff_s),
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
    let upkeep = {
        let (payments, days) = (payments.clone(), config.webhook_days);
        move |_| {
            let payments = payments.clone();
            async move { upkeep::run(&payments, days).await }
        }
    };
    vec![
        Worker::due(&payments.database, RESOLVE, options, resolve),
        Worker::due(&payments.database, WEBHOOKS, options, webhooks),
        Worker::due(&payments.database, upkeep::QUEUE, WorkOptions::default(), upkeep),
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
    Ok(payments.process_webhooks(payment).await?.map_or(Next::Done, Next::At))
}
