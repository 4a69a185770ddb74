use kernel::Uuid;
use serde_json::{Value, json};

use crate::support::{complaints, everything, everywhere, order_id, rating};

#[test]
fn an_answer_is_kept_told_and_read_again() {
    everywhere(async |world| {
        let (ada, client) = world.buyer(1, &[10]).await;
        let made = world.answer(&client, 10, everything()).await.expect(201);
        assert!(made.body["id"].as_str().unwrap().starts_with("ans_"));
        assert_eq!(made.body["order_id"], json!(order_id(10)));
        assert_eq!(made.body["answers"], everything());
        let read = client.get(made.header("location")).await.expect(200);
        assert_eq!(read.body, made.body);

        let [(kind, event)] = &world.events().await[..] else { panic!("not one event") };
        assert_eq!(kind, "feedback.poll_answered.v1");
        assert_eq!(event["answer_id"], made.body["id"]);
        assert_eq!(event["customer_id"], json!(ada));
        assert_eq!((event["order_id"].clone(), event["score"].clone()), (json!(order_id(10)), json!(4)));
    });
}

#[test]
fn the_same_request_answers_once_and_no_text_lies_in_the_clear() {
    everywhere(async |world| {
        let (_, ada) = world.buyer(1, &[10]).await;
        let path = format!("/v1/polls/{}/answers", world.poll().await);
        let body = json!({"order_id": order_id(10), "answers": everything()});
        let post = async |key: &str, body: &Value| {
            ada.send("POST", &path, &[("idempotency-key", key)], Some(body.clone())).await
        };
        let first = post("k-1", &body).await.expect(201);
        let again = post("k-1", &body).await.expect(201);
        assert_eq!((&again.body, again.header("idempotency-replayed")), (&first.body, "true"));
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.header("content-type"), "application/json");
        assert_eq!(post("k-2", &body).await.expect(409).code(), "feedback.already_answered");
        let other = json!({"order_id": order_id(10), "answers": rating(1)});
        assert_eq!(post("k-1", &other).await.expect(422).code(), "idempotency.key_reused");
        assert_eq!(world.events().await.len(), 1);

        let mut reader = world.platform.database.read_primary().await.unwrap();
        let kept: Vec<(Vec<u8>,)> = reader
            .fetch_all("SELECT body FROM platform_idempotency WHERE body IS NOT NULL", &[])
            .await
            .unwrap();
        assert!(!kept.is_empty());
        for (bytes,) in kept {
            assert!(!String::from_utf8_lossy(&bytes).contains("cedar"));
        }
        let sealed: (Vec<u8>, Value) =
            reader.fetch_one("SELECT texts, answers FROM answers", &[]).await.unwrap();
        assert!(!String::from_utf8_lossy(&sealed.0).contains("cedar"));
        assert!(!sealed.1.to_string().contains("cedar"));
    });
}

#[test]
fn an_order_of_somebody_else_is_as_one_that_is_not_there() {
    everywhere(async |world| {
        let (_, ada) = world.buyer(1, &[10]).await;
        let (_, bob) = world.buyer(2, &[20]).await;
        for order in [20, 30] {
            let refused = world.answer(&ada, order, rating(5)).await.expect(404);
            assert_eq!(refused.code(), "feedback.order_not_found");
        }
        let made = world.answer(&ada, 10, rating(5)).await.expect(201);
        let refused = bob.get(made.header("location")).await.expect(404);
        assert_eq!(refused.code(), "feedback.answer_not_found");
        assert_eq!(world.answer(&bob, 10, rating(1)).await.expect(404).code(), "feedback.order_not_found");
    });
}

#[test]
fn answers_that_do_not_fit_are_refused_with_pointers() {
    everywhere(async |world| {
        let (_, ada) = world.buyer(1, &[10]).await;
        let refused = world
            .answer(
                &ada,
                10,
                json!([
                    {"question_id": "recommend", "value": 11},
                    {"question_id": "discovery", "value": "dream"},
                    {"question_id": "colour", "value": "red"},
                    {"question_id": "comment", "value": "x".repeat(1_001)},
                ]),
            )
            .await
            .expect(400);
        assert_eq!(refused.code(), "request.validation");
        assert_eq!(
            complaints(&refused),
            [
                "/answers/0/value out_of_range",
                "/answers/1/value unknown",
                "/answers/2/question_id unknown",
                "/answers/3/value too_long",
                "/answers required",
            ]
        );
        for (answers, complaint) in [
            (json!([]), "/answers too_few"),
            (json!(vec![&rating(5)[0]; 21]), "/answers too_many"),
            (json!([{"question_id": "satisfaction", "value": 4.5}]), "/answers/0/value invalid_value"),
            (json!([{"question_id": "satisfaction", "value": null}]), "/answers/0/value invalid_value"),
            (json!([{"question_id": "satisfaction"}]), "/answers/0/value required"),
            (json!([{"question_id": "satisfaction", "value": 5, "why": ""}]), "/answers/0/why unknown_field"),
        ] {
            let refused = world.answer(&ada, 10, answers).await.expect(400);
            assert_eq!(complaints(&refused), [complaint]);
        }
        let card = json!([{"question_id": "satisfaction", "value": 5},
            {"question_id": "comment", "value": "my card is 4242 4242 4242 4242"}]);
        assert_eq!(world.answer(&ada, 10, card).await.expect(400).code(), "request.card_number");
        assert!(world.events().await.is_empty());
        world.answer(&ada, 10, rating(5)).await.expect(201);
    });
}

#[test]
fn only_customers_answer_and_only_polls_that_are_there() {
    everywhere(async |world| {
        let (_, ada) = world.buyer(1, &[10]).await;
        let refused = world.answer(&world.client, 10, rating(5)).await.expect(401);
        assert_eq!(refused.code(), "auth.missing");
        let refused = world.answer(&world.support(), 10, rating(5)).await.expect(403);
        assert_eq!(refused.code(), "auth.forbidden");
        let body = json!({"order_id": order_id(10), "answers": rating(5)});
        let nowhere = kernel::PollId::from_uuid(Uuid::from_u128(7));
        let refused = ada.post(&format!("/v1/polls/{nowhere}/answers"), body.clone()).await.expect(404);
        assert_eq!(refused.code(), "feedback.poll_not_found");
        assert_eq!(ada.post("/v1/polls/7/answers", body).await.expect(404).code(), "request.bad_id");

        let answer = format!("/v1/polls/{nowhere}/answers/{}", kernel::AnswerId::from_uuid(Uuid::nil()));
        assert_eq!(world.client.get(&answer).await.expect(401).code(), "auth.missing");
        assert_eq!(world.support().get(&answer).await.expect(403).code(), "auth.forbidden");
        assert_eq!(ada.get(&answer).await.expect(404).code(), "feedback.answer_not_found");
    });
}

/// The tallies are rows that everybody writes: whoever answers at once must neither fail nor be miscounted.
#[test]
fn answers_at_once_are_all_counted() {
    everywhere(async |world| {
        const BUYERS: u128 = 40;
        let mut buyers = Vec::new();
        for number in 1..=BUYERS {
            buyers.push((number, world.buyer(number, &[number]).await.1));
        }
        let path = format!("/v1/polls/{}/answers", world.poll().await);
        let mut answering = tokio::task::JoinSet::new();
        for (number, client) in buyers {
            let body = json!({"order_id": order_id(number), "answers": everything()});
            // Twice at once: one of the two is taken.
            for _ in 0..2 {
                let (client, path, body) = (client.clone(), path.clone(), body.clone());
                answering.spawn(async move { client.post(&path, body).await.status });
            }
        }
        let mut statuses = answering.join_all().await;
        statuses.sort_unstable();
        let (taken, refused) = statuses.split_at(statuses.len() / 2);
        assert!(taken.iter().all(|status| *status == 201), "{statuses:?}");
        assert!(refused.iter().all(|status| *status == 409), "{statuses:?}");
        let results = world.support().get(&format!("/v1/admin/polls/{}/results", world.poll().await)).await;
        assert_eq!(results.expect(200).body["answers"], BUYERS as u64);
        assert_eq!(world.events().await.len() as u128, BUYERS);
    });
}
