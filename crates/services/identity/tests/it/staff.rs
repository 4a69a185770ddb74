use contracts::identity::SignedIn;
use http::StatusCode;
use kernel::{Secret, SellerId};
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};
use web::Role;
use web::auth::Kind;

use crate::shop::{ADA, Call, PASSWORD, Shop, token_in};

const STAFF: &str = "grace@example.com";

on_both_engines! {
    async fn staff_sign_in_at_the_same_door_with_their_roles(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let password = Secret::new(PASSWORD.to_owned());
        let id = shop.service.add_staff(STAFF, &[Role::Catalog], &password).await.unwrap();
        let pair = shop.sign_in(STAFF, PASSWORD).await.pair();
        let claims = shop.claims(&pair).await;
        assert_eq!((claims.kind, claims.sub, claims.roles), (Kind::Staff, id.to_string(), vec![Role::Catalog]));
        assert!(shop.events::<SignedIn>().await.is_empty(), "staff are not customers");

        let again = shop.service.add_staff(STAFF, &[Role::Orders, Role::Catalog], None).await.unwrap();
        assert_eq!(again, id);
        shop.refresh(&pair.refresh).await.is(401, "identity.refresh_token_invalid");
        let pair = shop.sign_in(STAFF, PASSWORD).await.pair();
        assert_eq!(shop.claims(&pair).await.roles, [Role::Catalog, Role::Orders]);
        let sessions = shop.call(Call::get("/v1/auth/sessions").bearer(&pair)).await.json();
        assert_eq!(sessions["data"].as_array().unwrap().len(), 1);
    }

    async fn an_invitation_is_a_link_that_sets_a_password(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        shop.service.add_staff(STAFF, &[Role::Support], None).await.unwrap();
        shop.sign_in(STAFF, PASSWORD).await.is(401, "identity.bad_credentials");
        shop.service.catch_up().await.unwrap();
        let mail = shop.last_mail(STAFF).await;
        assert!(mail.subject.contains("invited"), "{}", mail.subject);
        shop.advance(86_400);
        let body = json!({"token": token_in(&mail), "password": PASSWORD});
        assert_eq!(shop.post("/v1/auth/recover/complete", body).await.status, StatusCode::NO_CONTENT);
        let pair = shop.sign_in(STAFF, PASSWORD).await.pair();
        assert_eq!(shop.claims(&pair).await.roles, [Role::Support]);
    }
}

#[tokio::test]
async fn somebody_who_acts_for_a_seller_carries_the_seller() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let seller = SellerId::new(shop.clock().now(), &shop.platform.rng);
    let password = Secret::new(PASSWORD.to_owned());
    let id = shop.service.add_seller_member(STAFF, seller, &password).await.unwrap();
    let pair = shop.sign_in(STAFF, PASSWORD).await.pair();
    let claims = shop.claims(&pair).await;
    assert_eq!((claims.kind, claims.seller_id, claims.sub), (Kind::Seller, Some(seller), id.to_string()));
    let signout = Call::new(http::Method::POST, "/v1/auth/signout").bearer(&pair);
    assert_eq!(shop.call(signout).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_customer_is_not_made_staff_and_staff_do_not_sign_up() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    shop.customer(ADA).await;
    let refused = shop.service.add_staff(ADA, &[Role::Catalog], None).await.unwrap_err();
    assert!(refused.to_string().contains("customer"), "{refused}");
    assert!(shop.service.add_staff("nobody", &[Role::Catalog], None).await.is_err());
    let weak = Secret::new("password123".to_owned());
    assert!(shop.service.add_staff(STAFF, &[Role::Catalog], &weak).await.is_err());

    shop.service.add_staff(STAFF, &[Role::Catalog], None).await.unwrap();
    shop.service.catch_up().await.unwrap();
    let mails = shop.mails(STAFF).await.len();
    shop.post("/v1/auth/signup", json!({"email": STAFF, "password": PASSWORD})).await;
    shop.post("/v1/auth/verify/resend", json!({"email": STAFF})).await;
    shop.service.catch_up().await.unwrap();
    assert_eq!((shop.mails(STAFF).await.len(), shop.rows("signups").await), (mails, 0));
}
