use contracts::identity::{AccountVerified, EMAIL_CONTEXT, NAME_CONTEXT, SignedIn};
use http::StatusCode;
use serde_json::json;
use testkit::{TestDatabase, on_both_engines};
use web::auth::Kind;

use crate::shop::{ADA, Call, PASSWORD, Shop, code_in, token_in};

on_both_engines! {
    async fn somebody_signs_up_proves_the_address_and_is_signed_in(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let body = json!({"email": " Ada@Example.com ", "password": PASSWORD, "name": "Ada"});
        let answer = shop.post("/v1/auth/signup", body).await;
        assert_eq!((answer.status, answer.json()), (StatusCode::ACCEPTED, json!({"status": "accepted"})));
        assert_eq!(shop.rows("accounts").await, 0, "nobody has proved anything yet");
        shop.service.catch_up().await.unwrap();

        let mail = shop.last_mail("Ada@Example.com").await;
        assert!(mail.text.contains("Hello Ada") && mail.html.contains(&token_in(&mail)), "{}", mail.text);
        let answer = shop.post("/v1/auth/verify", json!({"token": token_in(&mail)})).await;
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.json()["expires_in"], 300);
        let pair = answer.pair();

        let claims = shop.claims(&pair).await;
        assert_eq!((claims.kind, claims.sid, claims.amr.as_slice()), (Kind::Customer, pair.session, &["otp".to_owned()][..]));
        assert_eq!(claims.exp - claims.iat, 300);
        let [verified] = <[AccountVerified; 1]>::try_from(shop.events().await).unwrap();
        assert_eq!(verified.customer_id.to_string(), claims.sub);
        let (vault, person) = (&shop.platform.vault, verified.customer_id.uuid());
        let open = async |context, sealed: &contracts::Sealed| {
            String::from_utf8(vault.open_sealed(person, context, &sealed.0).await.unwrap().unwrap()).unwrap()
        };
        assert_eq!(open(EMAIL_CONTEXT, &verified.email).await, "Ada@Example.com");
        assert_eq!(open(NAME_CONTEXT, verified.name.as_ref().unwrap()).await, "Ada");
        let [signed_in] = <[SignedIn; 1]>::try_from(shop.events().await).unwrap();
        assert_eq!((signed_in.session_id, signed_in.method.as_str()), (pair.session, "verification"));

        shop.sign_in("ADA@EXAMPLE.COM", PASSWORD).await.pair();
        let again = shop.post("/v1/auth/verify", json!({"token": token_in(&mail)})).await;
        again.is(400, "identity.code_invalid");
    }

    async fn the_code_does_as_well_as_the_link(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let mail = shop.signed_up(ADA, PASSWORD).await;
        let body = json!({"email": "ADA@example.com", "code": code_in(&mail)});
        shop.post("/v1/auth/verify", body.clone()).await.pair();
        shop.post("/v1/auth/verify", body).await.is(400, "identity.code_invalid");
        shop.post("/v1/auth/verify", json!({"token": token_in(&mail)})).await.is(400, "identity.code_invalid");
    }

    /// The password that counts is the one that belongs to the mail which was used.
    async fn nobody_can_prepare_an_account_for_somebody_elses_address(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let attackers = shop.signed_up(ADA, "the attacker knows this").await;
        let own = shop.signed_up(ADA, PASSWORD).await;
        assert_ne!(token_in(&attackers), token_in(&own));
        shop.post("/v1/auth/verify", json!({"token": token_in(&own)})).await.pair();

        shop.sign_in(ADA, "the attacker knows this").await.is(401, "identity.bad_credentials");
        shop.sign_in(ADA, PASSWORD).await.pair();
        let late = shop.post("/v1/auth/verify", json!({"token": token_in(&attackers)})).await;
        late.is(400, "identity.code_invalid");
    }

    /// A mail that is asked for again cannot tell whose wish it is when two passwords wait.
    async fn a_mail_sent_again_never_carries_another_ones_password(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        shop.signed_up(ADA, PASSWORD).await;
        shop.signed_up(ADA, "the attacker knows this").await;
        shop.post("/v1/auth/verify/resend", json!({"email": ADA})).await;
        shop.service.catch_up().await.unwrap();
        let mail = shop.last_mail(ADA).await;
        assert!(mail.text.contains("no password comes with"), "{}", mail.text);
        shop.post("/v1/auth/verify", json!({"email": ADA, "code": code_in(&mail)})).await.pair();
        for password in [PASSWORD, "the attacker knows this"] {
            shop.sign_in(ADA, password).await.is(401, "identity.bad_credentials");
        }
    }

    async fn a_mail_sent_again_keeps_the_only_password(db: TestDatabase) {
        let shop = Shop::new(&db).await;
        let first = shop.signed_up(ADA, PASSWORD).await;
        assert_eq!(shop.post("/v1/auth/verify/resend", json!({"email": ADA})).await.status, StatusCode::ACCEPTED);
        shop.service.catch_up().await.unwrap();
        let second = shop.last_mail(ADA).await;
        assert_ne!(token_in(&first), token_in(&second));
        shop.post("/v1/auth/verify", json!({"token": token_in(&second)})).await.pair();
        shop.sign_in(ADA, PASSWORD).await.pair();
    }
}

#[tokio::test]
async fn an_address_that_has_an_account_is_told_by_mail_only() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let (customer, _) = shop.customer(ADA).await;
    let known = shop.post("/v1/auth/signup", json!({"email": ADA, "password": "quite another one"})).await;
    let unknown = shop
        .post("/v1/auth/signup", json!({"email": "eve@example.com", "password": "quite another one"}))
        .await;
    assert_eq!((known.status, &known.raw), (unknown.status, &unknown.raw));
    shop.service.catch_up().await.unwrap();
    let mail = shop.last_mail(ADA).await;
    assert!(mail.subject.contains("already have an account"), "{}", mail.subject);
    assert!(!mail.text.contains("#token="), "{}", mail.text);
    shop.sign_in(ADA, "quite another one").await.is(401, "identity.bad_credentials");
    let pair = shop.sign_in(ADA, PASSWORD).await.pair();
    assert_eq!(shop.claims(&pair).await.sub, customer.to_string());

    // Asked again and again, the person is told once an hour.
    for _ in 0..5 {
        shop.post("/v1/auth/signup", json!({"email": ADA, "password": "quite another one"})).await;
    }
    shop.service.catch_up().await.unwrap();
    assert_eq!(shop.mails(ADA).await.len(), 2);
}

#[tokio::test]
async fn a_sign_in_before_the_proof_sends_the_mail_again_for_the_password_that_was_typed() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    shop.signed_up(ADA, "what was chosen at first").await;
    shop.advance(301);
    shop.sign_in(ADA, PASSWORD).await.is(401, "identity.bad_credentials");
    shop.sign_in(ADA, PASSWORD).await.is(401, "identity.bad_credentials");
    shop.sign_in(ADA, "short").await.is(401, "identity.bad_credentials");
    shop.service.catch_up().await.unwrap();
    let mails = shop.mails(ADA).await;
    assert_eq!(mails.len(), 2, "one at sign-up, one for the first attempt, and then a pause");
    shop.post("/v1/auth/verify", json!({"token": token_in(&mails[1])})).await.pair();
    shop.sign_in(ADA, PASSWORD).await.pair();
}

#[tokio::test]
async fn links_and_codes_run_out() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let mail = shop.signed_up(ADA, PASSWORD).await;
    shop.advance(1_800);
    let code = json!({"email": ADA, "code": code_in(&mail)});
    shop.post("/v1/auth/verify", code).await.is(400, "identity.code_invalid");
    shop.advance(86_400 - 1_800);
    let link = json!({"token": token_in(&mail)});
    shop.post("/v1/auth/verify", link).await.is(400, "identity.code_invalid");

    let mail = shop.signed_up(ADA, PASSWORD).await;
    shop.advance(1_801);
    shop.post("/v1/auth/verify", json!({"token": token_in(&mail)})).await.pair();
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_told_where() {
    let db = TestDatabase::on(testkit::database::Engine::Sqlite).await;
    let shop = Shop::new(&db).await;
    let pointers = async |path: &str, body| {
        let answer = shop.post(path, body).await;
        let errors = answer.json()["errors"].as_array().cloned().unwrap_or_default();
        let pointers: Vec<_> = errors.iter().map(|e| e["pointer"].as_str().unwrap().to_owned()).collect();
        (answer.code(), pointers.join(" "))
    };
    let told = |code: &str, pointer: &str| (code.to_owned(), pointer.to_owned());
    let validation = |pointer| told("request.validation", pointer);
    let signup = "/v1/auth/signup";
    assert_eq!(
        pointers(signup, json!({"email": "nobody", "password": PASSWORD})).await,
        validation("/email")
    );
    assert_eq!(pointers(signup, json!({"email": ADA})).await, validation("/password"));
    let unknown = json!({"email": ADA, "password": PASSWORD, "admin": true});
    assert_eq!(pointers(signup, unknown).await, validation("/admin"));
    for weak in ["short", "password2026", ADA, "xyxyxyxyxyxy"] {
        let answer = pointers(signup, json!({"email": ADA, "password": weak})).await;
        assert_eq!(answer, told("identity.password_too_weak", "/password"), "{weak}");
    }
    let verify = "/v1/auth/verify";
    assert_eq!(pointers(verify, json!({})).await, validation("/token"));
    assert_eq!(pointers(verify, json!({"email": ADA})).await, validation("/code"));
    assert_eq!(pointers(verify, json!({"code": "12345678"})).await, validation("/email"));
    assert_eq!(pointers(verify, json!({"token": "x", "code": "y"})).await, validation("/token"));
    shop.service.catch_up().await.unwrap();
    assert_eq!(shop.rows("signups").await, 0);
    assert_eq!(shop.call(Call::get("/v1/auth/sessions")).await.code(), "auth.missing");
}
