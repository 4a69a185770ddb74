use std::time::Duration;

use database::{BoxError, Due, DueItem, Next};
use serde_json::Value;

use crate::error::Error;
use crate::shop::Shop;
use crate::store::carts;

/// The queue with the one item that comes back every hour.
pub(crate) const QUEUE: &str = "orders.expire_carts";

const EVERY: Duration = Duration::from_secs(3_600);
/// How many carts one transaction throws away.
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

/// Throws away guests' carts that nobody has changed for as long as the configuration says.
pub(crate) async fn run(shop: Shop, _: DueItem) -> Result<Next, BoxError> {
    let now = shop.clock.now();
    let before = now.minus(Duration::from_secs(86_400 * u64::from(shop.config.guest_cart_days)));
    loop {
        let deleted: Result<usize, Error> = shop
            .database
            .write(|mut tx| async move {
                let idle = carts::idle(&mut tx, before, BATCH).await?;
                for cart in &idle {
                    carts::delete(&mut tx, *cart).await?;
                }
                Ok(tx.commit(idle.len()).await?)
            })
            .await;
        if deleted? == 0 {
            return Ok(Next::At(now.plus(EVERY)));
        }
    }
}
