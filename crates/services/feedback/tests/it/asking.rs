use std::time::Duration;

use feedback::Config;
use host::Shutdown;
use serde_json::json;
use testkit::{Answer, Client};

use crate::support::{World, everywhere, everywhere_with, order_id, rating};

const ASKED: &str = "/v1/polls?placement=post_purchase";

async fn asked(client: &Client) -> Answer {
    client.get(ASKED).await.expect(200)
}

#[test]
fn a_buyer_is_asked_about_their_own_orders_once_each() {
    everywhere(async |world| {
        let (_, ada) = world.buyer(1, &[10, 11]).await;
        let (_, bob) = world.buyer(2, &[20]).await;
        let polls = asked(&ada).await.body;
        assert_eq!(polls["data"].as_array().unwrap().len(), 1);
        assert!(polls["next_cursor"].is_null());
        assert_eq!(polls["data"][0]["order_ids"], json!([order_id(11), order_id(10)]));
        assert_eq!(polls["data"][0]["questions"][0]["kind"], "rating");
        assert_eq!(asked(&bob).await.body["data"][0]["order_ids"], json!([order_id(20)]));

        let of = |order: u128| format!("{ASKED}&order_id={}", order_id(order));
        assert_eq!(ada.get(&of(10)).await.expect(200).body["data"][0]["order_ids"], json!([order_id(10)]));
        assert_eq!(ada.get(&of(20)).await.expect(200).body["data"], json!([]));

        world.answer(&ada, 10, rating(5)).await.expect(201);
        assert_eq!(asked(&ada).await.body["data"][0]["order_ids"], json!([order_id(11)]));
        assert_eq!(ada.get(&of(10)).await.expect(200).body["data"], json!([]));
        world.answer(&ada, 11, rating(5)).await.expect(201);
        assert_eq!(asked(&ada).await.body["data"], json!([]));
    });
}

#[test]
fn guests_and_history_are_not_asked() {
    everywhere(async |world| {
        let (ada, client) = world.buyer(1, &[]).await;
        world.tell(&world.order(None, 10)).await;
        let imported = contracts::orders::OrderPlaced { imported: true, ..world.order(Some(ada), 11) };
        world.tell(&imported).await;
        let mut old = world.order(Some(ada), 12);
        old.placed_at = old.placed_at.minus(Duration::from_secs(61 * 86_400));
        world.tell(&old).await;
        assert_eq!(asked(&client).await.body["data"], json!([]));
        assert_eq!(world.answer(&client, 10, rating(5)).await.expect(404).code(), "feedback.order_not_found");
        assert_eq!(world.answer(&client, 11, rating(5)).await.expect(404).code(), "feedback.order_not_found");
    });
}

#[test]
fn an_event_that_comes_twice_changes_nothing() {
    everywhere(async |world| {
        let (ada, client) = world.buyer(1, &[10]).await;
        world.tell(&world.order(Some(ada), 10)).await;
        assert_eq!(asked(&client).await.body["data"][0]["order_ids"], json!([order_id(10)]));
    });
}

async fn purchases(world: &World) -> i64 {
    let mut reader = world.platform.database.read_primary().await.unwrap();
    let (count,): (i64,) = reader.fetch_one("SELECT COUNT(*) FROM purchases", &[]).await.unwrap();
    count
}

#[test]
fn the_time_for_an_order_ends_and_it_is_forgotten() {
    everywhere_with(&Config { answer_days: 2, ..Config::default() }, async |world| {
        let (_, ada) = world.buyer(1, &[10]).await;
        world.platform.clock.advance(Duration::from_secs(86_400));
        world.buyer(1, &[11]).await;
        world.platform.clock.advance(Duration::from_secs(86_400));
        assert_eq!(asked(&ada).await.body["data"][0]["order_ids"], json!([order_id(11)]));
        assert_eq!(world.answer(&ada, 10, rating(5)).await.expect(404).code(), "feedback.order_not_found");

        let (shutdown, worker) = (Shutdown::new(), world.service.workers().pop().unwrap());
        let trimming = tokio::spawn(worker.run(shutdown.clone()));
        while purchases(world).await > 1 {
            tokio::task::yield_now().await;
        }
        shutdown.set();
        trimming.await.unwrap();
        assert_eq!(purchases(world).await, 1);
        world.answer(&ada, 11, rating(5)).await.expect(201);
    });
}

#[test]
fn a_closed_poll_is_not_asked_and_a_new_one_is() {
    everywhere(async |world| {
        let (_, ada) = world.buyer(1, &[10]).await;
        let (support, first) = (world.support(), world.poll().await);
        let path = format!("/v1/admin/polls/{first}");
        support
            .send("PATCH", &path, &[("if-match", "\"1\"")], Some(json!({"status": "closed"})))
            .await
            .expect(200);
        assert_eq!(asked(&ada).await.body["data"], json!([]));
        let refused = ada
            .post(
                &format!("/v1/polls/{first}/answers"),
                json!({"order_id": order_id(10), "answers": rating(1)}),
            )
            .await
            .expect(409);
        assert_eq!(refused.code(), "feedback.poll_closed");

        let question = json!({"id": "again", "kind": "nps", "label": "Again?", "required": true});
        let poll = json!({"placement": "post_purchase", "title": "Short", "questions": [question]});
        let made = support.post("/v1/admin/polls", poll).await.expect(201);
        assert_eq!(asked(&ada).await.body["data"][0]["id"], made.body["id"]);
    });
}

#[test]
fn only_customers_are_asked() {
    everywhere(async |world| {
        assert_eq!(world.client.get(ASKED).await.expect(401).code(), "auth.missing");
        assert_eq!(world.support().get(ASKED).await.expect(403).code(), "auth.forbidden");
        let (_, ada) = world.buyer(1, &[]).await;
        for bad in
            ["", "?placement=checkout", "?placement=post_purchase&order_id=7", "?placement=post_purchase&x=1"]
        {
            let refused = ada.get(&format!("/v1/polls{bad}")).await.expect(400);
            assert_eq!(refused.code(), "request.validation", "{bad}");
        }
    });
}
