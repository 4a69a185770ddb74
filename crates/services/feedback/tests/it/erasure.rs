use contracts::customers::CustomerErased;
use serde_json::json;

use crate::support::{World, everything, everywhere, order_id, rating};

async fn staff_view(world: &World) -> (serde_json::Value, serde_json::Value) {
    let poll = format!("/v1/admin/polls/{}", world.poll().await);
    let answers = world.support().get(&format!("{poll}/answers")).await.expect(200).body;
    (answers, world.support().get(&format!("{poll}/results")).await.expect(200).body)
}

#[test]
fn the_erased_leave_numbers_and_nothing_else() {
    everywhere(async |world| {
        let (ada, hers) = world.buyer(1, &[10, 11]).await;
        let (_, his) = world.buyer(2, &[20]).await;
        let answer = world.answer(&hers, 10, everything()).await.expect(201);
        world.answer(&his, 20, everything()).await.expect(201);
        let (_, results) = staff_view(world).await;

        // The key goes first; until the news comes, who answered is known, and what they wrote is not.
        world.platform.vault.destroy(ada.uuid()).await.unwrap();
        let (answers, _) = staff_view(world).await;
        assert_eq!(answers["data"][1]["customer_id"], json!(ada));
        assert!(answers["data"][1]["answers"][3]["value"].is_null());
        let refused = world.answer(&hers, 11, everything()).await.expect(410);
        assert_eq!(refused.code(), "vault.erased");

        // The same news twice is as once.
        for _ in 0..2 {
            world.tell(&CustomerErased { customer_id: ada }).await;
            let (answers, after) = staff_view(world).await;
            assert_eq!(after, results);
            assert!(answers["data"][1]["customer_id"].is_null());
            assert_eq!(answers["data"][1]["answers"][0]["value"], 4);
            assert!(answers["data"][1]["answers"][3]["value"].is_null());
            assert_eq!(answers["data"][0]["answers"], everything());
        }
        assert_eq!(hers.get(answer.header("location")).await.expect(404).code(), "feedback.answer_not_found");
        assert_eq!(world.answer(&hers, 11, rating(5)).await.expect(404).code(), "feedback.order_not_found");
    });
}

#[test]
fn an_export_holds_everything_about_one_person() {
    everywhere(async |world| {
        let (ada, hers) = world.buyer(1, &[10, 11]).await;
        let (_, his) = world.buyer(2, &[20]).await;
        let answer = world.answer(&hers, 10, everything()).await.expect(201).body;
        world.answer(&his, 20, rating(1)).await.expect(201);
        let path = format!("/internal/feedback/customers/{ada}/export");
        let export = world.client.service("customers").get(&path).await.expect(200).body;
        assert_eq!(export["answers"], json!([answer]));
        let orders: Vec<_> =
            export["purchases"].as_array().unwrap().iter().map(|it| it["order_id"].clone()).collect();
        assert_eq!(orders, [json!(order_id(10)), json!(order_id(11))]);
        for outsider in [&world.client, &hers, &world.support()] {
            assert_eq!(outsider.get(&path).await.expect(401).code(), "auth.missing");
        }
    });
}
