use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use axum::response::IntoResponse as _;
use axum::routing::get as on_get;
use axum::{Json, Router};
use contracts::identity::{Client, Revocation};
use ed25519_dalek::SigningKey;
use http::StatusCode;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::{Clock, CustomerId, SessionId, Timestamp};
use parking_lot::Mutex;
use serde_json::{Value, json};
use web::auth::{self, Claims, Kind, Revocations, TOKEN_TYPE, Verifier, VerifierOptions};
use web::{Caller, Customer, Handled, Internal, NoContent, Role, Seller, Staff, channel};

use crate::support::{Answer, clock, code, get_with};

const ISSUER: &str = "https://shop.example";
const AUDIENCE: &str = "souk";
const SESSION: &str = "ses_01h455vb4pex5vsknk084sn02q";

/// Identity as the verifier sees it: a key set that can change and go away.
#[derive(Clone, Default)]
struct Identity {
    keys: Arc<Mutex<Vec<Value>>>,
    reads: Arc<AtomicU32>,
    away: Arc<AtomicBool>,
}

impl Identity {
    fn client(&self) -> Client {
        let identity = self.clone();
        let keys = async move || {
            identity.reads.fetch_add(1, Ordering::SeqCst);
            if identity.away.load(Ordering::SeqCst) {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
            }
            Json(json!({"keys": *identity.keys.lock()})).into_response()
        };
        let router = Router::new().route("/internal/identity/jwks", on_get(keys));
        Client::new(channel::local("gateway", "identity", router))
    }

    fn reads(&self) -> u32 {
        self.reads.load(Ordering::SeqCst)
    }
}

struct Signer {
    id: &'static str,
    secret: SigningKey,
}

impl Signer {
    fn new(id: &'static str, seed: u8) -> Self {
        Self { id, secret: SigningKey::from_bytes(&[seed; 32]) }
    }

    fn public(&self) -> String {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.secret.verifying_key().as_bytes())
    }

    fn jwk(&self) -> Value {
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id, "x": self.public()})
    }

    fn header(&self) -> Header {
        Header {
            typ: Some(TOKEN_TYPE.to_owned()),
            kid: Some(self.id.to_owned()),
            ..Header::new(Algorithm::EdDSA)
        }
    }

    fn sign(&self, header: &Header, claims: &Value) -> String {
        // PKCS#8 (RFC 8410 section 7): a fixed beginning, then the seed.
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend(self.secret.as_bytes());
        jsonwebtoken::encode(header, claims, &EncodingKey::from_ed_der(&der)).unwrap()
    }
}

struct Fixture {
    clock: Clock,
    identity: Identity,
    signer: Signer,
    revocations: Revocations,
    app: Router,
}

fn fixture() -> Fixture {
    let (clock, identity, signer) = (clock(), Identity::default(), Signer::new("k1", 1));
    identity.keys.lock().push(signer.jwk());
    let revocations = Revocations::new(clock.clone());
    let options = VerifierOptions::new(ISSUER, AUDIENCE);
    let verifier = Verifier::new(options, identity.client(), revocations.clone(), clock.clone());
    let router = Router::new()
        .route("/customer", on_get(async |customer: Customer| customer.id.to_string()))
        .route("/staff", on_get(async |staff: Staff| format!("{} {:?}", staff.id, staff.roles)))
        .route("/refunds", on_get(refund))
        .route("/seller", on_get(async |seller: Seller| seller.id.to_string()))
        .route("/anybody", on_get(async |caller: Caller| caller.key().unwrap_or_default()))
        .route("/public", on_get(async || "open"))
        .route("/internal", on_get(async |_: Internal| "internal"));
    let app = auth::layer(router, verifier);
    Fixture { clock, identity, signer, revocations, app }
}

async fn refund(staff: Staff) -> Handled<NoContent> {
    staff.require(Role::Payments)?;
    Ok(NoContent)
}

impl Fixture {
    fn claims(&self) -> Value {
        let now = self.clock.now().as_seconds();
        serde_json::to_value(Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: "cus_01h455vb4pex5vsknk084sn02q".into(),
            kind: Kind::Customer,
            sid: SESSION.parse().unwrap(),
            iat: now,
            exp: now + 300,
            auth_time: now,
            amr: vec!["pwd".into()],
            acr: None,
            roles: Vec::new(),
            seller_id: None,
            scope: None,
        })
        .unwrap()
    }

    fn token(&self, change: Value) -> String {
        let mut claims = self.claims();
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.signer.sign(&self.signer.header(), &claims)
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        get_with(&self.app, path, &[("authorization", &format!("Bearer {token}"))]).await
    }

    async fn refused(&self, token: &str) -> (u16, String) {
        self.get("/customer", token).await.code()
    }
}

#[tokio::test]
async fn a_token_names_its_caller() {
    let shop = fixture();
    let customer = shop.token(json!({}));
    assert_eq!(shop.get("/customer", &customer).await.text(), "cus_01h455vb4pex5vsknk084sn02q");
    assert_eq!(shop.get("/anybody", &customer).await.text(), "cus_01h455vb4pex5vsknk084sn02q");

    let staff =
        json!({"kind": "staff", "sub": "stf_01h455vb4pex5vsknk084sn02q", "roles": ["catalog", "oracle"]});
    let staff = shop.token(staff);
    assert_eq!(shop.get("/staff", &staff).await.text(), "stf_01h455vb4pex5vsknk084sn02q [Catalog, Unknown]");

    let seller = json!({"kind": "seller", "sub": "stf_01h455vb4pex5vsknk084sn02q",
                        "seller_id": "sel_01h455vb4pex5vsknk084sn02q"});
    assert_eq!(shop.get("/seller", &shop.token(seller)).await.text(), "sel_01h455vb4pex5vsknk084sn02q");
    assert_eq!(shop.identity.reads(), 1, "keys are read once, not per request");
}

#[tokio::test]
async fn nobody_and_the_wrong_kind_are_turned_away() {
    let shop = fixture();
    let nobody = get_with(&shop.app, "/customer", &[]).await;
    assert_eq!(nobody.code(), code(401, "auth.missing"));
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
    assert_eq!(get_with(&shop.app, "/anybody", &[]).await.text(), "");

    let customer = shop.token(json!({}));
    for path in ["/staff", "/seller", "/refunds"] {
        assert_eq!(shop.get(path, &customer).await.code(), code(403, "auth.forbidden"), "{path}");
    }
    assert_eq!(shop.get("/internal", &customer).await.code(), code(401, "auth.missing"));

    let staff =
        |role: &str| json!({"kind": "staff", "sub": "stf_01h455vb4pex5vsknk084sn02q", "roles": [role]});
    let refused = shop.get("/refunds", &shop.token(staff("catalog"))).await;
    assert_eq!(refused.code(), code(403, "auth.forbidden"));
    assert_eq!(refused.json()["required_role"], "payments");
    for role in ["payments", "administrator"] {
        assert_eq!(shop.get("/refunds", &shop.token(staff(role))).await.status, 204, "{role}");
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_only_where_somebody_is_asked_for() {
    let shop = fixture();
    assert_eq!(shop.get("/public", "nonsense").await.text(), "open");
    let refused = shop.get("/anybody", "nonsense").await;
    assert_eq!(refused.code(), code(401, "auth.token_invalid"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    for authorization in ["Basic dXNlcjpwYXNz", "Bearer", "nonsense"] {
        let answer = get_with(&shop.app, "/customer", &[("authorization", authorization)]).await;
        assert_eq!(answer.code(), code(401, "auth.token_invalid"), "{authorization}");
    }
    let token = format!("Bearer {}", shop.token(json!({})));
    let twice = [("authorization", token.as_str()), ("authorization", token.as_str())];
    assert_eq!(get_with(&shop.app, "/customer", &twice).await.code(), code(401, "auth.token_invalid"));
    assert_eq!(
        get_with(&shop.app, "/customer", &[("authorization", &token.replace("Bearer", "bEARER"))])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn claims_are_pinned() {
    let shop = fixture();
    let now = shop.clock.now().as_seconds();
    for change in [
        json!({"iss": "https://evil.example"}),
        json!({"iss": null}),
        json!({"aud": "another"}),
        json!({"aud": null}),
        json!({"exp": null}),
        json!({"sub": "stf_01h455vb4pex5vsknk084sn02q"}),
        json!({"sub": "1"}),
        json!({"sid": "1"}),
        json!({"kind": "seller"}),
        json!({"kind": "emperor"}),
        json!({"iat": now + 60}),
    ] {
        assert_eq!(
            shop.refused(&shop.token(change.clone())).await,
            code(401, "auth.token_invalid"),
            "{change}"
        );
    }
    assert_eq!(
        shop.get("/customer", &shop.token(json!({"iat": now + 5}))).await.status,
        200,
        "clocks may differ"
    );
}

#[tokio::test]
async fn the_algorithm_and_the_type_are_pinned() {
    use base64::Engine as _;
    let shop = fixture();
    let (claims, ours) = (shop.claims(), shop.signer.header());
    let encode = |value: &Value| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value.to_string());

    let unsigned = json!({"typ": TOKEN_TYPE, "alg": "none", "kid": "k1"});
    let unsigned = format!("{}.{}.", encode(&unsigned), encode(&claims));
    assert_eq!(shop.refused(&unsigned).await, code(401, "auth.token_invalid"));

    // The public key as the secret of a MAC: whoever believes the header believes the attacker.
    for secret in [shop.signer.public().into_bytes(), shop.signer.secret.verifying_key().as_bytes().to_vec()]
    {
        let header = Header { alg: Algorithm::HS256, ..ours.clone() };
        let confused = jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(&secret)).unwrap();
        assert_eq!(shop.refused(&confused).await, code(401, "auth.token_invalid"));
    }
    for typ in [None, Some("JWT".to_owned()), Some("refresh+jwt".to_owned())] {
        let token = shop.signer.sign(&Header { typ, ..ours.clone() }, &claims);
        assert_eq!(shop.refused(&token).await, code(401, "auth.token_invalid"));
    }
    let nameless = shop.signer.sign(&Header { kid: None, ..ours }, &claims);
    assert_eq!(shop.refused(&nameless).await, code(401, "auth.token_invalid"));
}

#[tokio::test]
async fn a_changed_token_is_refused_and_so_is_a_huge_one() {
    let shop = fixture();
    let token = shop.token(json!({}));
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let other = shop.token(json!({"sub": "cus_7zzzzzzzzzzzzzzzzzzzzzzzzz"}));
    let other = other.split('.').nth(1).unwrap();
    let last = if signature.ends_with('A') { "B" } else { "A" };
    for forged in [
        format!("{header}.{other}.{signature}"),
        format!("{header}.{claims}.{}{last}", &signature[..signature.len() - 4]),
        format!("{header}.{claims}"),
        format!("{header}.{claims}.{signature}.x"),
        format!("{header}.{claims}.{}", "A".repeat(5_000)),
    ] {
        assert_eq!(shop.refused(&forged).await, code(401, "auth.token_invalid"), "{forged}");
    }
}

#[tokio::test]
async fn a_token_expires_also_when_it_is_remembered() {
    let shop = fixture();
    let token = shop.token(json!({}));
    assert_eq!(shop.get("/customer", &token).await.status, 200);
    shop.clock.advance(Duration::from_secs(304));
    assert_eq!(shop.get("/customer", &token).await.status, 200, "within the leeway");
    shop.clock.advance(Duration::from_secs(1));
    assert_eq!(shop.refused(&token).await, code(401, "auth.token_expired"));
}

#[tokio::test]
async fn an_ended_session_is_refused_at_once_and_a_later_one_is_not() {
    let shop = fixture();
    let token = shop.token(json!({}));
    assert_eq!(shop.get("/customer", &token).await.status, 200);
    shop.clock.advance(Duration::from_secs(10));
    let now = shop.clock.now();
    let until = now.plus(Duration::from_secs(300));
    shop.revocations.add([Revocation {
        session_id: SESSION.parse().unwrap(),
        not_issued_before: now,
        until,
    }]);
    assert_eq!(shop.refused(&token).await, code(401, "auth.session_ended"));
    assert_eq!(
        shop.refused(&shop.token(json!({"iat": now.as_seconds() - 1}))).await,
        code(401, "auth.session_ended")
    );
    assert_eq!(shop.get("/customer", &shop.token(json!({}))).await.status, 200, "issued after that moment");
    let other = SessionId::from_uuid(kernel::Rng::seeded(1).uuid_v7(now)).to_string();
    assert_eq!(shop.get("/customer", &shop.token(json!({"sid": other, "iat": 1}))).await.status, 200);
}

#[tokio::test]
async fn an_unknown_key_has_the_keys_read_again_but_not_for_every_token() {
    let shop = fixture();
    let next = Signer::new("k2", 2);
    let token = next.sign(&next.header(), &shop.claims());
    assert_eq!(shop.refused(&token).await, code(401, "auth.token_invalid"));
    for _ in 0..5 {
        assert_eq!(shop.refused(&token).await, code(401, "auth.token_invalid"));
    }
    assert_eq!(shop.identity.reads(), 1, "an attacker cannot have them read at will");

    shop.identity.keys.lock().push(next.jwk());
    shop.clock.advance(Duration::from_secs(3));
    assert_eq!(shop.get("/customer", &token).await.status, 200);
    assert_eq!(shop.identity.reads(), 2);
}

#[tokio::test]
async fn a_withdrawn_key_stops_being_believed() {
    let shop = fixture();
    let token = shop.token(json!({}));
    assert_eq!(shop.get("/customer", &token).await.status, 200);
    shop.identity.keys.lock().clear();
    shop.clock.advance(Duration::from_secs(61));
    assert_eq!(shop.refused(&token).await, code(401, "auth.token_invalid"));
}

#[tokio::test]
async fn keys_that_cannot_be_read_are_nobodys_fault_and_known_ones_stay_good() {
    let shop = fixture();
    shop.identity.away.store(true, Ordering::SeqCst);
    let token = shop.token(json!({"exp": shop.clock.now().as_seconds() + 3_600}));
    let answer = shop.get("/customer", &token).await;
    assert_eq!(answer.code(), code(503, "service.unavailable"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(shop.refused(&token).await, code(503, "service.unavailable"), "also without asking again");
    assert_eq!(shop.identity.reads(), 1);

    shop.identity.away.store(false, Ordering::SeqCst);
    shop.clock.advance(Duration::from_secs(3));
    assert_eq!(shop.get("/customer", &token).await.status, 200);
    shop.identity.away.store(true, Ordering::SeqCst);
    shop.clock.advance(Duration::from_secs(120));
    assert_eq!(shop.get("/customer", &token).await.status, 200);
}

#[tokio::test]
async fn keys_of_other_kinds_in_the_set_are_passed_over() {
    let shop = fixture();
    *shop.identity.keys.lock() = vec![
        json!({"kty": "oct", "kid": "k1", "k": "c2VjcmV0"}),
        json!({"kty": "OKP", "crv": "X25519", "kid": "k3", "x": shop.signer.public()}),
        shop.signer.jwk(),
    ];
    assert_eq!(shop.get("/customer", &shop.token(json!({}))).await.status, 200);
}

#[tokio::test]
async fn a_caller_that_a_layer_further_out_found_is_not_asked_again() {
    let shop = fixture();
    let id: CustomerId = "cus_01h455vb4pex5vsknk084sn02q".parse().unwrap();
    let session: SessionId = SESSION.parse().unwrap();
    let caller = Caller::Customer(Customer { id, session, authenticated_at: Timestamp::EPOCH });
    let app = shop.app.layer(axum::Extension(caller));
    assert_eq!(get_with(&app, "/customer", &[("authorization", "Bearer nonsense")]).await.status, 200);
    assert_eq!(shop.identity.reads(), 0);
}
