//! `souk import` against the embedded stack, with files of each shape.

use serde_json::{Value, json};

use crate::shop::Shop;

/// The catalogue of every shop under test.
pub const CATALOG: &str = r#"[
  {"handle": "velvet-lip", "title": "Velvet Lipstick", "description": "Soft, matte colour.", "brand": "Maren Vale",
   "categories": ["lips/lipstick", "lips"], "seller": "Maren Vale", "created_at": "2026-01-01T09:00:00Z",
   "variants": [
     {"sku": "VL-ROSE", "title": "Rosewood", "options": [["Shade", "Rosewood"]],
      "price": {"amount": 2400, "currency": "EUR"}, "stock": 50},
     {"sku": "VL-FIG", "title": "Fig", "options": [["Shade", "Fig"]],
      "price": {"amount": 2400, "currency": "EUR"}, "stock": 1}]},
  {"handle": "niacin-serum", "title": "Niacin 10 Serum", "description": "Ten per cent niacinamide.",
   "brand": "Fjord Botanika", "categories": ["skin/serum"], "seller": "Fjord Botanika",
   "ingredients": "Aqua, Niacinamide", "created_at": "2026-01-02T09:00:00Z",
   "variants": [{"sku": "NS-30", "title": "30 ml", "price": {"amount": 3600, "currency": "EUR"}, "stock": 40}]}
]"#;

const CUSTOMERS: &str = "external_id,email,verified,name,created_at,line1,city,country\n\
    7,grace@example.com,yes,Grace,2025-01-01,1 Way,London,GB\n\
    8,not-an-address,yes,Nobody,2025-01-01,,,\n";

const ORDERS: &str = "external_id,customer,placed_at,currency,subtotal,discount,shipping,tax,total,sku,title,quantity,unit_price\n\
    A-1,7,2025-03-01T10:00:00Z,EUR,48.00,0,4.90,8.45,52.90,VL-ROSE,Velvet Lipstick,2,24.00\n\
    A-2,7,2025-03-02T10:00:00Z,EUR,36.00,0,0,5.75,35.99,NS-30,Niacin 10 Serum,1,36.00\n";

const SHOPIFY: &str = "Name,Email,Financial Status,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Cancelled at,Id\n\
    #1001,grace@example.com,paid,fulfilled,EUR,24.00,0.00,3.83,24.00,2025-04-01 10:00:00 +0200,1,Velvet Lipstick - Rosewood,24.00,VL-ROSE,,9001\n\
    #1002,heidi@example.com,refunded,unfulfilled,EUR,36.00,0.00,5.75,36.00,2025-04-02 10:00:00 +0200,1,Niacin,36.00,NS-30,,9002\n";

/// What the customers' password is in the files of other systems.
const PASSWORD: &str = "rosewood & f\u{fc}nf Kirschen";

/// Written as Keycloak 26 writes it: 900 rounds of PBKDF2 with SHA-512, and Argon2.
const KEYCLOAK: &str = r#"{"realm": "souk", "users": [
  {"id": "7f3d0a52-0d0c-4c43-9d7e-6b4d3d1f0a01", "username": "karla", "firstName": "Karla", "email": "karla@example.com",
   "emailVerified": true, "enabled": true, "createdTimestamp": 1600000000000, "credentials": [{"type": "password",
     "secretData": "{\"value\":\"lzUX3gAG3P+K0KPzRntbSYb9PJIKSppDJvFg/NThg0+0rs2Od9u2uI8JtiyJaN+MuFSGdDKL4102hgFu5DkG6g==\",\"salt\":\"AQIDBAUGBwgJCgsMDQ4PEA==\",\"additionalParameters\":{}}",
     "credentialData": "{\"hashIterations\":900,\"algorithm\":\"pbkdf2-sha512\",\"additionalParameters\":{}}"}]},
  {"id": "7f3d0a52-0d0c-4c43-9d7e-6b4d3d1f0a02", "username": "kim", "email": "kim@example.com",
   "emailVerified": true, "enabled": true, "createdTimestamp": 1600000000000, "credentials": [{"type": "password",
     "secretData": "{\"value\":\"oj2eV4IDDfDu0kfqd25Vi18v5J6T1l49AsgspLeDnqM=\",\"salt\":\"AQIDBAUGBwgJCgsMDQ4PEA==\"}",
     "credentialData": "{\"hashIterations\":3,\"algorithm\":\"argon2\",\"additionalParameters\":{\"hashLength\":[\"32\"],\"memory\":[\"1024\"],\"type\":[\"i\"],\"version\":[\"1.3\"],\"parallelism\":[\"1\"]}}"}]},
  {"id": "7f3d0a52-0d0c-4c43-9d7e-6b4d3d1f0a03", "email": "gone@example.com", "enabled": false, "createdTimestamp": 1},
  {"id": "7f3d0a52-0d0c-4c43-9d7e-6b4d3d1f0a04", "email": "hostile@example.com", "emailVerified": true,
   "createdTimestamp": 1600000000000, "credentials": [{"type": "password",
     "secretData": "{\"value\":\"lzUX3gAG3P+K0KPzRntbSYb9PJIKSppDJvFg/NThg08=\",\"salt\":\"AQIDBAUGBwgJCgsMDQ4PEA==\"}",
     "credentialData": "{\"hashIterations\":2000000000,\"algorithm\":\"pbkdf2-sha256\"}"}]}
]}"#;

/// Written as Auth0's support writes it.
const AUTH0: &str = r#"{"_id":{"$oid":"5f5e10002b3c4d5e6f708173"},"email_verified":true,"email":"anton@example.com","passwordHash":"$2b$05$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy","tenant":"souk","connection":"Username-Password-Authentication"}
{"_id":{"$oid":"5f5e10002b3c4d5e6f708174"},"email":
{"_id":{"$oid":"5f5e10002b3c4d5e6f708175"},"email_verified":true,"email":"anna@example.com","passwordHash":"$2b$31$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy"}
"#;

/// Written as Firebase's command writes it; the hash is that of its own example.
const FIREBASE: &str = "uid1,fay@example.com,true,lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==,42xEC+ixf3L2lw==,Fay,,,,,,,,,,,,,,,,,,1600000000000,1600000000000,,,,\n\
    uid2,,false,,,,,,,,,,,,,,,,,,,,,1600000000000,,+15555550100,,,\n";

const HASH_CONFIG: &str = "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: \
    jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,\n  \
    base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 14,\n}\n";

async fn import(shop: &Shop, kind: &str, name: &str, text: &str, more: &[&str]) -> (Option<i32>, Value) {
    let path = shop.folder().join(name);
    std::fs::write(&path, text).unwrap();
    let arguments = [&["import", kind, path.to_str().unwrap(), "--json"], more].concat();
    let (status, output, error) = shop.try_command(&arguments, "").await;
    (status, serde_json::from_str(&output).unwrap_or_else(|_| panic!("{output}{error}")))
}

fn summary(created: u64, unchanged: u64, refused: u64) -> Value {
    json!({"created": created, "updated": 0, "unchanged": unchanged, "refused": refused})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_become_a_history_once() {
    let shop = Shop::embedded().await;
    let (status, told) = import(&shop, "catalog", "again.json", CATALOG, &[]).await;
    assert_eq!((status, told), (Some(0), summary(0, 2, 0)));

    let report = shop.folder().join("refused.csv");
    let options = ["--report", report.to_str().unwrap()];
    let dry = [&options[..], &["--dry-run"]].concat();
    assert_eq!(import(&shop, "customers", "c.csv", CUSTOMERS, &dry).await, (Some(2), summary(1, 0, 1)));
    assert_eq!(import(&shop, "customers", "c.csv", CUSTOMERS, &options).await, (Some(2), summary(1, 0, 1)));
    assert_eq!(import(&shop, "customers", "c.csv", CUSTOMERS, &[]).await, (Some(2), summary(0, 1, 1)));
    let refused = std::fs::read_to_string(&report).unwrap();
    assert!(refused.lines().nth(1).unwrap().starts_with("line 3,8,"), "{refused}");

    // The second order's total is not what its parts come to.
    assert_eq!(import(&shop, "orders", "o.csv", ORDERS, &options).await, (Some(2), summary(1, 0, 1)));
    assert_eq!(import(&shop, "orders", "o.csv", ORDERS, &[]).await, (Some(2), summary(0, 1, 1)));
    let refused = std::fs::read_to_string(&report).unwrap();
    assert!(refused.contains("A-2"), "{refused}");

    assert_eq!(import(&shop, "orders", "s.csv", SHOPIFY, &[]).await, (Some(0), summary(2, 0, 0)));
    assert_eq!(import(&shop, "orders", "s.csv", SHOPIFY, &[]).await, (Some(0), summary(0, 2, 0)));

    let staff = crate::journey::sign_in(&shop.api, crate::shop::STAFF.0, crate::shop::STAFF.1).await;
    let found = shop.api.get("/v1/admin/orders?limit=10").bearer(&staff.access).expect(200).await;
    let told: Vec<(i64, &str)> = found.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| {
            (order["totals"]["total"]["amount"].as_i64().unwrap(), order["placed_at"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            (3600, "2025-04-02T08:00:00.000000Z"),
            (2400, "2025-04-01T08:00:00.000000Z"),
            (5290, "2025-03-01T10:00:00.000000Z"),
        ]
    );
    // Grace's two orders came from two files and belong to one person.
    let of = |index: usize| found.body["data"][index]["customer_id"].clone();
    assert_eq!(of(1), of(2));
    assert_ne!(of(0), of(1));
}

/// Its name and content, further options, what is told, and what stands in the report.
type File<'a> = (&'a str, &'a str, &'a [&'a str], Value, &'a [&'a str]);

/// Whoever moves to Souk keeps the password they had, and what cannot be taken is named and holds up nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_other_systems_sign_in_with_the_passwords_they_had() {
    let shop = Shop::embedded().await;
    let config = shop.folder().join("hash-config.txt");
    std::fs::write(&config, HASH_CONFIG).unwrap();
    let config = config.to_str().unwrap().to_owned();
    let report = shop.folder().join("refused.csv");
    let files: [File<'_>; 3] = [
        (
            "realm.json",
            KEYCLOAK,
            &[],
            summary(2, 0, 2),
            &["record 3,7f3d0a52-0d0c-4c43-9d7e-6b4d3d1f0a03,import.account_disabled", "hash_too_costly"],
        ),
        (
            "auth0.ndjson",
            AUTH0,
            &[],
            summary(1, 0, 2),
            &[
                "record 2,,import.unreadable",
                "record 3,auth0|5f5e10002b3c4d5e6f708175,identity.hash_too_costly",
            ],
        ),
        (
            "firebase.csv",
            FIREBASE,
            &["--format", "firebase", "--hash-config", &config],
            summary(1, 0, 1),
            &["line 2,uid2,import.missing,email"],
        ),
    ];
    for (name, text, options, expected, refused) in &files {
        let with_report = [*options, &["--report", report.to_str().unwrap()]].concat();
        let dry = [&with_report[..], &["--dry-run"]].concat();
        assert_eq!(import(&shop, "customers", name, text, &dry).await, (Some(2), expected.clone()), "{name}");
        assert_eq!(import(&shop, "customers", name, text, &with_report).await, (Some(2), expected.clone()));
        let told = std::fs::read_to_string(&report).unwrap();
        assert!(refused.iter().all(|line| told.contains(line)), "{name}: {told}");
    }
    let again = import(&shop, "customers", "realm.json", KEYCLOAK, &[]).await;
    assert_eq!(again, (Some(2), summary(0, 2, 2)));
    for (email, password) in [
        ("karla@example.com", PASSWORD),
        ("kim@example.com", PASSWORD),
        ("anton@example.com", PASSWORD),
        ("fay@example.com", "user1password"),
    ] {
        crate::journey::sign_in(&shop.api, email, password).await;
        // And once more, with the hash that is ours by now.
        crate::journey::sign_in(&shop.api, email, password).await;
    }
}
