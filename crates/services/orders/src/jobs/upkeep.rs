use std::time::Duration;

use database::{BoxError, Due, DueItem, Next};
use kernel::Timestamp;
use serde_json::Value;

use crate::error::Error;
use crate::shop::Shop;
use crate::store::{carts, checkouts};

/// The queue with the one item that comes back every hour.
pub(crate) const QUEUE: &str = "orders.upkeep";

const EVERY: Duration = Duration::from_secs(3_600);
/// For how long a checkout that came to nothing is kept, should its money turn up after all.
const CHECKOUT_DAYS: u64 = 90;
/// How many rows one transaction throws away.
const BATCH: i64 = 500;

/// Makes sure that the work stands; it is done at once, then every hour.
///
/// # Errors
/// What the database says.
pub(crate) async fn schedule(shop: &Shop) -> Result<(), Error> {
    let due = &Due { queue: QUEUE, key: "sweep".to_owned(), payload: Value::Null, at: shop.clock.now() };
    shop.database
        .write(|mut tx| async move {
            tx.schedule(due).await?;
            Ok(tx.commit(()).await?)
        })
        .await
}

/// Throws away what nobody needs any more: guests' carts that were not changed for as long as the
/// configuration says, and checkouts that came to nothing long ago.
pub(crate) async fn run(shop: Shop, _: DueItem) -> Result<Next, BoxError> {
    let now = shop.clock.now();
    let idle = now.minus(days(u64::from(shop.config.guest_cart_days)));
    while expire_carts(&shop, idle).await? > 0 {}
    let past = now.minus(days(CHECKOUT_DAYS));
    while forget_checkouts(&shop, past).await? > 0 {}
    Ok(Next::At(now.plus(EVERY)))
}

const fn days(days: u64) -> Duration {
    Duration::from_secs(86_400 * days)
}

async fn expire_carts(shop: &Shop, before: Timestamp) -> Result<usize, Error> {
    shop.database
        .write(|mut tx| async move {
            let idle = carts::idle(&mut tx, before, BATCH).await?;
            for cart in &idle {
                carts::delete(&mut tx, *cart).await?;
            }
            Ok(tx.commit(idle.len()).await?)
        })
        .await
}

async fn forget_checkouts(shop: &Shop, before: Timestamp) -> Result<u64, Error> {
    shop.database
        .write(|mut tx| async move {
            let forgotten = checkouts::forget(&mut tx, before, BATCH).await?;
            Ok(tx.commit(forgotten).await?)
        })
        .await
}
