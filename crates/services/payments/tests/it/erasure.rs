//! A person is erased.

use contracts::Envelope;
use contracts::customers::CustomerErased;
use database::{Row, params};
use kernel::EventId;
use serde_json::json;
use testkit::TestDatabase;
use web::Role;

use crate::shop::{Shop, staff};

async fn erase(shop: &Shop, event: &Envelope) {
    let [reaction] = &shop.service.reactions()[..] else { panic!("there is one reaction") };
    assert!(reaction.types().contains(&event.kind.as_str()));
    shop.database
        .write(|mut tx| async move {
            reaction.react(&mut tx, event).await.unwrap();
            tx.commit(()).await
        })
        .await
        .unwrap_or_else(|error: database::Error| panic!("{error}"));
}

testkit::on_both_engines! {
    /// The books stay, with an id that leads nowhere; what might tell about the person is gone.
    async fn only_the_id_stays(db: TestDatabase) {
        let shop = Shop::open(&db).await;
        let (mine, other) = (shop.wanted("tok_visa"), shop.wanted("tok_visa"));
        for wanted in [&mine, &other] {
            shop.client.authorize(wanted).await.unwrap();
            shop.client.capture(wanted.payment_id).await.unwrap();
            let path = format!("/v1/payments/{}/refunds", wanted.payment_id);
            let body = json!({"reason": "Maria moved away."});
            assert_eq!(shop.post(&staff(&[Role::Payments]), &path, &[], &body).await.status, 201);
        }
        shop.until("everything was told", async || {
            (shop.count("webhooks WHERE outcome IS NOT NULL").await == 8).then_some(())
        })
        .await;
        let erased = CustomerErased { customer_id: mine.customer_id.unwrap() };
        let id = EventId::new(shop.clock.now(), &shop.rng);
        let event = Envelope::new(id, "customers", shop.clock.now(), &erased).unwrap();
        erase(&shop, &event).await;
        let first = state(&shop).await;
        erase(&shop, &event).await;
        assert_eq!(state(&shop).await, first, "twice is once");

        assert_eq!(shop.count("payments WHERE card_last4 IS NULL").await, 1);
        assert_eq!(shop.count("refunds WHERE reason = ''").await, 1);
        assert_eq!(shop.count("webhooks WHERE body IS NULL").await, 4);
        assert_eq!(shop.count("webhooks WHERE subject IS NOT NULL").await, 0);
        let kept = shop.client.get(mine.payment_id).await.unwrap();
        assert_eq!(kept.refunded, kept.amount);
        shop.assert_books(0).await;
    }
}

/// Everything of the two tables that erasure could touch more than once.
async fn state(shop: &Shop) -> String {
    let mut reader = shop.database.read_primary().await.unwrap();
    let payments: Vec<Row> =
        reader.fetch_all("SELECT * FROM payments ORDER BY id", &params![]).await.unwrap();
    let refunds: Vec<Row> = reader.fetch_all("SELECT * FROM refunds ORDER BY id", &params![]).await.unwrap();
    format!("{payments:?}{refunds:?}")
}
