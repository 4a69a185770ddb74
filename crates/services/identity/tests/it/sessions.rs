use std::time::Duration;

use contracts::identity::SessionEnded;
use http::{StatusCode, header};
use kernel::SessionId;
use testkit::{TestDatabase, on_both_engines};
use web::auth::TokenError;

use crate::shop::{ADA, Call, PASSWORD, Shop, soon};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

on_both_engines! {
    async fn one_sees_ones_sessions_and_ends_them(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (customer, first) = shop.customer(ADA).await;
        shop.advance(60);
        let body = serde_json::json!({"email": ADA, "password": PASSWORD});
        let call = Call::post("/v1/auth/signin", body).header(header::USER_AGENT, FIREFOX).from("203.0.113.9");
        let second = shop.call(call).await.pair();
        let answer = shop.call(Call::get("/v1/auth/sessions").bearer(&first)).await;
        let listed = answer.json();
        assert_eq!(listed["next_cursor"], serde_json::Value::Null);
        assert_eq!(listed["data"].as_array().unwrap().len(), 2);
        let newest = &listed["data"][0];
        assert_eq!(newest["id"], second.session.to_string());
        assert_eq!((&newest["device"], &newest["network"]), (&"Firefox on Linux".into(), &"203.0.113.0/24".into()));
        assert_eq!((&newest["method"], &newest["current"]), (&"password".into(), &false.into()));
        assert_eq!((&listed["data"][1]["method"], &listed["data"][1]["current"]), (&"verification".into(), &true.into()));

        let path = format!("/v1/auth/sessions/{}", second.session);
        assert_eq!(shop.call(Call::delete(&path).bearer(&first)).await.status, StatusCode::NO_CONTENT);
        shop.refresh(&second.refresh).await.is(401, "identity.refresh_token_invalid");
        shop.call(Call::delete(&path).bearer(&first)).await.is(404, "identity.session_not_found");
        let [ended] = <[SessionEnded; 1]>::try_from(shop.events().await).unwrap();
        assert_eq!((ended.customer_id, ended.session_id, ended.reason.as_str()), (customer, second.session, "ended_by_person"));
    }

    async fn signing_out_ends_this_session_and_ending_all_others_leaves_it(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (_, first) = shop.customer(ADA).await;
        let second = shop.sign_in(ADA, PASSWORD).await.pair();
        let third = shop.sign_in(ADA, PASSWORD).await.pair();
        let signout = Call::new(http::Method::POST, "/v1/auth/signout").bearer(&first);
        assert_eq!(shop.call(signout).await.status, StatusCode::NO_CONTENT);
        shop.refresh(&first.refresh).await.is(401, "identity.refresh_token_invalid");
        let answer = shop.call(Call::delete("/v1/auth/sessions").bearer(&second)).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
        shop.refresh(&third.refresh).await.is(401, "identity.refresh_token_invalid");
        shop.refresh(&second.refresh).await.pair();
        let reasons: Vec<_> = shop.events::<SessionEnded>().await.into_iter().map(|event| event.reason).collect();
        assert_eq!(reasons, ["signed_out", "ended_by_person"]);
    }

    async fn somebody_elses_session_does_not_exist(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (_, ada) = shop.customer(ADA).await;
        let (_, eve) = shop.customer("eve@example.com").await;
        let unknown = SessionId::new(shop.clock().now(), &shop.platform.rng);
        for session in [ada.session, unknown] {
            let call = Call::delete(&format!("/v1/auth/sessions/{session}")).bearer(&eve);
            shop.call(call).await.is(404, "identity.session_not_found");
        }
        shop.call(Call::delete("/v1/auth/sessions/nonsense").bearer(&eve)).await.is(404, "request.bad_id");
        shop.call(Call::delete("/v1/auth/sessions").bearer(&eve)).await;
        shop.refresh(&ada.refresh).await.pair();
        let listed = shop.call(Call::get("/v1/auth/sessions").bearer(&eve)).await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn nobody_reads_or_ends_sessions_without_a_token() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, pair) = shop.customer(ADA).await;
    let one = format!("/v1/auth/sessions/{}", pair.session);
    let calls = [
        Call::get("/v1/auth/sessions"),
        Call::delete("/v1/auth/sessions"),
        Call::delete(&one),
        Call::new(http::Method::POST, "/v1/auth/signout"),
    ];
    for call in calls {
        shop.call(call).await.is(401, "auth.missing");
    }
    let mut forged = pair.clone();
    forged.access.replace_range(..1, "x");
    shop.call(Call::get("/v1/auth/sessions").bearer(&forged)).await.is(401, "auth.token_invalid");
    shop.advance(306);
    shop.call(Call::get("/v1/auth/sessions").bearer(&pair)).await.is(401, "auth.token_expired");
    let expired = Call::post("/v1/auth/refresh", serde_json::json!({"refresh_token": pair.refresh}));
    shop.call(expired.bearer(&pair)).await.pair();
}

/// Announced through the cache that the nodes share.
#[tokio::test]
async fn an_ended_session_is_refused_on_another_node_within_a_second() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, pair) = shop.customer(ADA).await;
    let (_, other) = shop.another().await;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let following = tokio::spawn({
        let (revocations, identity, cache) =
            (other.revocations.clone(), other.identity.clone(), shop.platform.cache.clone());
        async move {
            let until = async {
                let _ = ended.await;
            };
            revocations.follow(identity, cache, until).await;
        }
    });
    assert!(soon(Duration::from_secs(5), async || other.revocations.age().is_some()).await);
    other.verifier.verify(&pair.access).await.unwrap();

    let signout = Call::new(http::Method::POST, "/v1/auth/signout").bearer(&pair);
    assert_eq!(shop.call(signout).await.status, StatusCode::NO_CONTENT);
    let refused = async || matches!(other.verifier.verify(&pair.access).await, Err(TokenError::SessionEnded));
    assert!(soon(Duration::from_secs(1), refused).await);
    end.send(()).unwrap();
    following.await.unwrap();

    // A node that starts now has heard nothing and reads the list.
    let (_, late) = shop.another().await;
    late.verifier.verify(&pair.access).await.unwrap();
    late.revocations.resync(&late.identity).await;
    assert!(late.verifier.verify(&pair.access).await.is_err());

    // When no token of it can be good any more, it leaves the list.
    shop.advance(301);
    assert!(late.identity.revocations().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_person_has_so_many_sessions_and_the_longest_unused_makes_room() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::with(&db, identity::Config { sessions_per_account: 3, ..crate::shop::quick() }).await;
    let (_, first) = shop.customer(ADA).await;
    let mut pairs = Vec::new();
    for _ in 0..2 {
        shop.advance(1);
        pairs.push(shop.sign_in(ADA, PASSWORD).await.pair());
    }
    shop.advance(1);
    let first = shop.refresh(&first.refresh).await.pair();
    shop.advance(1);
    pairs.push(shop.sign_in(ADA, PASSWORD).await.pair());
    shop.refresh(&pairs[0].refresh).await.is(401, "identity.refresh_token_invalid");
    for pair in [&first, &pairs[1], &pairs[2]] {
        shop.refresh(&pair.refresh).await.pair();
    }
    assert_eq!(shop.events::<SessionEnded>().await[0].reason, "superseded");
}
