//! The whole API, driven by schemathesis from its own document as nobody, as a customer and as staff.
//!
//! Every check of schemathesis is on, and one of our own: an answer holds nothing that belongs to somebody
//! else. `schemathesis_hooks.py` beside this file says who calls, and which refusals of a well-formed request
//! are right. What is set otherwise than schemathesis has it, and why:
//!
//! - `negative_data_rejection` takes 412 as a refusal too: a malformed `If-Match` matches no version.
//! - `missing_required_header` takes 428, which RFC 6585 has for a missing `If-Match`.
//! - A query parameter without a value is the same as none here, so that one is not a breach of its schema.
//! - A stream of events is read up to its first event, for it does not end.
//! - Tokens are not made up where a caller is signed in; `ignored_auth` leaves them out and breaks them itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::process::Command;

use super::crowd::{Crowd, PASSWORD, Somebody, sign_up};
use super::operations::{Operation, Operations};
use super::record::{record, scale, seed};
use crate::journey::sign_in;
use crate::shop::Shop;

/// Whose calls a run makes.
struct Caller {
    name: &'static str,
    /// Accounts to sign in with; nothing for nobody.
    accounts: Value,
    /// What belongs to others.
    foreign: Vec<String>,
}

/// How much a run tries.
struct Effort {
    seed: u64,
    examples: u64,
    phases: &'static str,
    /// Of the cases that schemathesis derives from the schema, only every so many operations get theirs.
    coverage_of_one_in: u64,
}

/// What a run did.
struct Told {
    requests: u64,
    /// How often each operation answered with which status.
    operations: BTreeMap<String, BTreeMap<String, u64>>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_breaks_its_promise_or_shows_somebody_elses_data() {
    let first = seed("schemathesis");
    let mut seeds = Vec::new();
    let mut requests = 0;
    let mut succeeded = BTreeSet::new();
    let mut operations = 0;
    // PostgreSQL refuses texts and numbers that SQLite takes, so the short form runs there.
    let full = scale(0, 1) == 1;
    for nth in 0..scale(1, 4) {
        let shop = if full && nth % 2 == 1 { Shop::embedded().await } else { Shop::full().await };
        let effort = Effort {
            seed: first.wrapping_add(nth) % 1_000_000_007,
            examples: scale(3, 60),
            phases: if full { "examples,coverage,fuzzing,stateful" } else { "coverage,fuzzing" },
            coverage_of_one_in: scale(12, 1),
        };
        seeds.push(effort.seed);
        let document = Operations::of(&shop.api).await;
        let told = everybody(&shop, &document, &effort).await;
        operations = document.all().len();
        for operation in document.all() {
            let name = operation.name();
            assert!(told.iter().all(|told| told.operations.contains_key(&name)), "{name} was not called");
        }
        for told in told {
            requests += told.requests;
            let good =
                |statuses: &BTreeMap<String, u64>| statuses.keys().any(|status| status.starts_with('2'));
            succeeded
                .extend(told.operations.into_iter().filter(|(_, told)| good(told)).map(|(name, _)| name));
        }
    }
    // With a few examples each, many operations that want something particular only ever refuse.
    let floor = operations * usize::try_from(scale(40, 60)).unwrap() / 100;
    assert!(succeeded.len() >= floor, "only {} operations ever succeeded", succeeded.len());
    record(
        "schemathesis",
        "Driven from its own document as nobody, as a customer and as an administrator, no operation answers \
         with 5xx, breaks its schema, or shows somebody else's data.",
        &[
            ("requests", json!(requests)),
            ("operations called by each caller", json!(operations)),
            ("operations that also succeeded", json!(succeeded.len())),
            ("seeds", json!(seeds)),
        ],
    );
}

/// Fills the shop and lets all three kinds of callers loose on it at once.
async fn everybody(shop: &Shop, document: &Operations, effort: &Effort) -> Vec<Told> {
    let crowd = Crowd::come(shop).await;
    let ada = sign_up(shop, "ada").await;
    let mut ids = crowd.ids();
    own_things(shop, &ada, &mut ids).await;
    let marks = |people: &[&Somebody]| -> Vec<String> {
        people.iter().flat_map(|somebody| somebody.marks().map(str::to_owned)).collect()
    };
    let [bea, cyd] = &crowd.customers;
    let others = marks(&[bea, cyd, &crowd.guest]);
    let everybody = marks(&[bea, cyd, &crowd.guest, &ada]);
    let callers = [
        Caller { name: "nobody", accounts: Value::Null, foreign: everybody },
        Caller { name: "customer", accounts: customer_accounts(shop, &ada).await, foreign: others },
        // Staff may see what customers have; what is secret is secret for them too.
        Caller { name: "staff", accounts: staff_accounts(shop).await, foreign: Vec::new() },
    ];
    let secrets = crowd.secrets();
    let runs = callers.iter().map(|caller| run(shop, document, caller, &ids, &secrets, effort));
    let (told, found): (Vec<_>, Vec<_>) =
        futures_util::future::join_all(runs).await.into_iter().partition(Result::is_ok);
    let found: Vec<String> = found.into_iter().filter_map(Result::err).collect();
    assert!(found.is_empty(), "with the seed {}:\n{}", effort.seed, found.join("\n"));
    let logs = shop.logs();
    assert!(!logs.contains("panicked"), "something panicked: {logs}");
    told.into_iter().flatten().collect()
}

/// The caller's own things, so that some of what is tried is theirs.
async fn own_things(shop: &Shop, ada: &Somebody, ids: &mut BTreeMap<String, Vec<String>>) {
    let api = &shop.api;
    let variant = ids["var"][0].clone();
    let address = json!({"name": "Ada", "line1": "Lindenstr. 1", "city": "Berlin", "country": "DE"});
    api.until("/v1/customers/me", &ada.token, |me| me["email"].is_string()).await;
    let saved = api.post("/v1/customers/me/addresses", address.clone()).bearer(&ada.token).expect(201).await;
    let put = api.put(&format!("/v1/carts/me/items/{variant}"), json!({"quantity": 1}));
    put.bearer(&ada.token).expect(200).await;
    let checkout = json!({"shipping_address": address, "payment": {"method": "card", "token": "tok_visa"}});
    let bought = api.post("/v1/checkouts", checkout).bearer(&ada.token).key("own").expect(201).await;
    for id in [saved.str("/id"), bought.str("/order/id"), bought.str("/payment/id")] {
        ids.entry(id[..3].to_owned()).or_default().insert(0, id.to_owned());
    }
}

/// Ada; another who ends sessions; and some who are there to be erased.
async fn customer_accounts(shop: &Shop, ada: &Somebody) -> Value {
    let restless = sign_up(shop, "restless").await;
    let mut leaving = Vec::new();
    for nth in 0..scale(2, 12) {
        leaving.push(sign_up(shop, &format!("leaving-{nth}")).await.email);
    }
    json!({"main": ada.email, "restless": restless.email, "leaving": leaving, "password": PASSWORD})
}

async fn staff_accounts(shop: &Shop) -> Value {
    let accounts = ["main-staff@example.com", "restless-staff@example.com"];
    for email in accounts {
        shop.command(&["staff", "add", email, "--role", "administrator"], PASSWORD).await;
        sign_in(&shop.api, email, PASSWORD).await;
    }
    json!({"main": accounts[0], "restless": accounts[1], "leaving": [], "password": PASSWORD})
}

/// One run of schemathesis: what it did, or what it printed when it found anything.
async fn run(
    shop: &Shop,
    document: &Operations,
    caller: &Caller,
    ids: &BTreeMap<String, Vec<String>>,
    secrets: &[String],
    effort: &Effort,
) -> Result<Told, String> {
    let folder = shop.folder().join(format!("schemathesis-{}", caller.name));
    std::fs::create_dir_all(&folder).unwrap();
    let told = folder.join("told.json");
    let brief = json!({
        "url": shop.api.url(""), "caller": caller.accounts, "foreign": caller.foreign, "secrets": secrets,
        "told": told,
    });
    std::fs::write(folder.join("brief.json"), brief.to_string()).unwrap();
    std::fs::write(folder.join("schemathesis.toml"), config(shop, document, ids, effort)).unwrap();
    let output = Command::new(testkit::engines::program("schemathesis"))
        .args(["--config-file", "schemathesis.toml", "run", &shop.api.url("/openapi.json"), "--no-color"])
        .args(["--phases", effort.phases])
        .args(["--max-examples", &effort.examples.to_string(), "--seed", &effort.seed.to_string()])
        .env("SOUK_SCHEMATHESIS", folder.join("brief.json"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&folder)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("schemathesis as {} found:\n{printed}{errors}", caller.name));
    }
    let told: Value = serde_json::from_slice(&std::fs::read(told).unwrap()).unwrap();
    let operations = serde_json::from_value(told["operations"].clone()).unwrap();
    Ok(Told { requests: told["requests"].as_u64().unwrap(), operations })
}

/// The configuration: the checks, and for every parameter that is an id, those that exist.
fn config(
    shop: &Shop,
    document: &Operations,
    ids: &BTreeMap<String, Vec<String>>,
    effort: &Effort,
) -> String {
    let hooks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/proofs/schemathesis_hooks.py");
    let mut config = format!(
        "base-url = {url}\nhooks = {hooks}\nworkers = 1\ncontinue-on-failure = true\nmax-stream-events = 1\n\
         request-timeout = 30.0\n\n\
         [warnings]\nfail-on = ['unsupported_regex', 'unresolvable_reference']\n\n\
         [generation]\nwith-security-parameters = false\ndatabase = 'none'\n\n\
         [checks.negative_data_rejection]\n\
         expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 415, 422, 428, 429]\n\n\
         [checks.missing_required_header]\nexpected-statuses = [400, 401, 403, 415, 422, 428]\n\n",
        url = json!(shop.api.url("")),
        hooks = json!(hooks),
    );
    for (prefix, ids) in ids {
        writeln!(config, "[dictionaries.{prefix}]\nvalues = {}\n", json!(ids)).unwrap();
    }
    for (nth, operation) in document.all().iter().enumerate() {
        let covered = (nth as u64 + effort.seed).is_multiple_of(effort.coverage_of_one_in);
        writeln!(config, "[[operations]]\ninclude-name = {}", json!(operation.name())).unwrap();
        writeln!(config, "phases.coverage.enabled = {covered}").unwrap();
        for parameter in known_ids(operation, ids) {
            writeln!(config, "{parameter}").unwrap();
        }
        config.push('\n');
    }
    config
}

/// Where an operation takes ids that are known, and of which kind.
fn known_ids(operation: &Operation<'_>, ids: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut known = Vec::new();
    for place in ["path", "query", "header", "cookie"] {
        for (name, prefix) in operation.parameters(place) {
            known.extend(prefix.map(|prefix| (format!("{place}.{name}"), prefix)));
        }
    }
    known.extend(operation.body_ids().into_iter().map(|(at, prefix)| (format!("body.{at}"), prefix)));
    known.retain(|(_, prefix)| ids.contains_key(prefix));
    let line = |(at, prefix)| format!("parameters.'{at}' = {{ dictionary = '{prefix}', probability = 0.8 }}");
    known.into_iter().map(line).collect()
}
