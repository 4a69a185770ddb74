use std::sync::Arc;
use std::time::Duration;

use contracts::identity::SessionEnded;
use database::Isolation;
use kernel::Timestamp;
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};
use tokio::sync::Notify;
use web::auth::TokenError;

use crate::shop::{ADA, Answer, Call, Pair, Shop, soon};

/// Two refreshes with the same token, neither of which is answered before both have arrived.
async fn at_once(shop: &Shop, pair: &Pair) -> [Answer; 2] {
    let (held, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let holding = tokio::spawn({
        let (database, held, release) = (shop.platform.database.clone(), held.clone(), release.clone());
        async move {
            let hold = database.write_with(Isolation::ReadCommitted, |mut tx| {
                let (held, release) = (held.clone(), release.clone());
                async move {
                    tx.execute("UPDATE sessions SET last_used_at = last_used_at", &[]).await?;
                    held.notify_one();
                    release.notified().await;
                    tx.rollback(()).await
                }
            });
            let done: Result<(), database::Error> = hold.await;
            done.unwrap();
        }
    });
    held.notified().await;
    let (mut a, mut b) = (Box::pin(shop.refresh(&pair.refresh)), Box::pin(shop.refresh(&pair.refresh)));
    assert!(futures_util::poll!(&mut a).is_pending() && futures_util::poll!(&mut b).is_pending());
    release.notify_one();
    let (a, b) = tokio::join!(a, b);
    holding.await.unwrap();
    [a, b]
}

on_both_engines! {
    async fn tokens_rotate_and_the_session_goes_on(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (customer, first) = shop.customer(ADA).await;
        let mut pair = first.clone();
        for _ in 0..5 {
            shop.advance(200);
            let next = shop.refresh(&pair.refresh).await.pair();
            assert_eq!(next.session, first.session);
            assert_ne!(next.refresh, pair.refresh);
            assert_ne!(next.access, pair.access);
            pair = next;
        }
        let claims = shop.claims(&pair).await;
        assert_eq!(claims.sub, customer.to_string());
        assert!(claims.iat - claims.auth_time >= 1_000, "when the person proved who they are stays");
    }

    /// Idea 1: the answer was lost, so it is given again, and what nobody received is revoked.
    async fn a_lost_answer_is_given_again_and_the_unused_pair_is_revoked(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (_, first) = shop.customer(ADA).await;
        shop.advance(10);
        let lost = shop.refresh(&first.refresh).await.pair();
        shop.advance(10);
        let kept = shop.refresh(&first.refresh).await.pair();
        assert_ne!(kept.refresh, lost.refresh);

        shop.node.revocations.resync(&shop.node.identity).await;
        let refused = shop.node.verifier.verify(&lost.access).await.unwrap_err();
        assert!(matches!(refused, TokenError::SessionEnded), "idea 2: not issued before: {refused:?}");
        shop.claims(&kept).await;
        let next = shop.refresh(&kept.refresh).await.pair();
        shop.claims(&next).await;
        assert!(shop.events::<SessionEnded>().await.is_empty());
    }

    /// Idea 1: the successor was used, so somebody has a copy.
    async fn a_token_whose_successor_was_used_ends_the_session_and_tells_the_person(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (customer, first) = shop.customer(ADA).await;
        let other = shop.sign_in(ADA, crate::shop::PASSWORD).await.pair();
        shop.advance(10);
        let second = shop.refresh(&first.refresh).await.pair();
        let third = shop.refresh(&second.refresh).await.pair();
        shop.refresh(&first.refresh).await.is(401, "identity.refresh_token_invalid");
        shop.refresh(&third.refresh).await.is(401, "identity.refresh_token_invalid");
        shop.refresh(&other.refresh).await.pair();

        let [ended] = <[SessionEnded; 1]>::try_from(shop.events().await).unwrap();
        assert_eq!((ended.customer_id, ended.session_id), (customer, first.session));
        assert_eq!(ended.reason, "refresh_reuse");
        shop.service.catch_up().await.unwrap();
        let mails = shop.mails(ADA).await;
        let notices = mails.iter().filter(|mail| mail.subject.contains("ended a session")).count();
        assert_eq!(notices, 1, "told once, however often it comes");
    }

    /// The pair that a retry revoked turns up: somebody received it after all, and two hold tokens.
    async fn a_superseded_token_ends_the_session(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let (_, stolen) = shop.customer(ADA).await;
        shop.advance(10);
        let owners = shop.refresh(&stolen.refresh).await.pair();
        let thiefs = shop.refresh(&stolen.refresh).await.pair();
        shop.refresh(&owners.refresh).await.is(401, "identity.refresh_token_invalid");
        shop.refresh(&thiefs.refresh).await.is(401, "identity.refresh_token_invalid");
        assert_eq!(shop.events::<SessionEnded>().await.len(), 1);
    }

    /// A client that sends two at once may keep either answer.
    async fn two_at_once_lock_nobody_out(db: TestDatabase) {
        for keep_first in [true, false] {
            let shop = Shop::new(&db).await;
            let email = format!("two-{keep_first}@example.com");
            let (_, mut pair) = shop.customer(&email).await;
            for _ in 0..5 {
                let [a, b] = at_once(&shop, &pair).await;
                pair = if keep_first { a.pair() } else { b.pair() };
                shop.claims(&pair).await;
            }
            shop.refresh(&pair.refresh).await.pair();
            assert!(shop.events::<SessionEnded>().await.is_empty());
        }
    }
}

#[tokio::test]
async fn many_at_once_lock_nobody_out() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, first) = shop.customer(ADA).await;
    let answers = futures_util::future::join_all((0..20).map(|_| shop.refresh(&first.refresh))).await;
    let pairs: Vec<Pair> = answers.iter().map(|answer| answer.pair()).collect();
    shop.refresh(&pairs[7].refresh).await.pair();
    shop.refresh(&pairs[8].refresh).await.is(401, "identity.refresh_token_invalid");
}

#[tokio::test]
async fn what_is_no_token_of_ours_is_refused_and_harms_nobody() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, pair) = shop.customer(ADA).await;
    let next = shop.refresh(&pair.refresh).await.pair();
    let mut forged = pair.refresh.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == 'A' { 'E' } else { 'A' });
    for token in ["x", "souk_rt_", &forged, &next.access[..90]] {
        shop.refresh(token).await.is(401, "identity.refresh_token_invalid");
    }
    shop.refresh(&"x".repeat(101)).await.is(400, "request.validation");
    shop.refresh(&next.refresh).await.pair();
}

#[tokio::test]
async fn sessions_end_when_unused_and_in_any_case_in_the_end() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, idle) = shop.customer(ADA).await;
    shop.advance(30 * 86_400);
    shop.refresh(&idle.refresh).await.is(401, "identity.refresh_token_invalid");

    let mut staff = shop.administrator().await;
    let began: Timestamp = shop.clock().now();
    while shop.clock().now().since(began) < Duration::from_secs(11 * 3_600) {
        shop.advance(3_600);
        staff = shop.refresh(&staff.refresh).await.pair();
    }
    shop.advance(3_500);
    let last = shop.refresh(&staff.refresh).await.pair();
    let claims = shop.claims(&last).await;
    assert_eq!(claims.exp - claims.iat, 100, "an access token does not outlive its session");
    shop.advance(100);
    shop.refresh(&last.refresh).await.is(401, "identity.refresh_token_invalid");
}

#[tokio::test]
async fn a_session_survives_a_restart_and_an_older_backup() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (_, mut pair) = shop.customer(ADA).await;
    let (_, node) = shop.another().await;
    let refresh =
        async |token: &str| node.send(Call::post("/v1/auth/refresh", json!({"refresh_token": token}))).await;
    pair = refresh(&pair.refresh).await.pair();
    let backup = async |sql: &str| {
        let database = &shop.platform.database;
        let done: Result<(), database::Error> = database
            .write(|mut tx| async move {
                tx.execute(sql, &[]).await?;
                tx.commit(()).await
            })
            .await;
        done.unwrap();
    };
    pair = refresh(&pair.refresh).await.pair();
    backup("UPDATE sessions SET issued = 1, used = 0, open_from = 1").await;
    pair = refresh(&pair.refresh).await.pair();
    let claims = shop.claims(&pair).await;
    assert!(soon(Duration::ZERO, async || shop.node.verifier.verify(&pair.access).await.is_ok()).await);
    assert_eq!(claims.sid, pair.session);
}
