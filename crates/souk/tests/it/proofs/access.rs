//! Who may call what: every operation of the document is called by everybody who may not.
//!
//! The document says who may, so a new route is covered as soon as it is in there.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};
use web::Role;

use super::crowd::{Crowd, PASSWORD, sign_up};
use super::operations::{Operation, Operations};
use super::record::record;
use crate::api::{Answer, Api};
use crate::journey::sign_in;
use crate::shop::Shop;

/// Things of the shop that anybody may see, so their ids say nothing about whose they are.
const PUBLIC: [&str; 5] = ["prd", "var", "sel", "pol", "loc"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_is_refused_and_changes_nothing() {
    let shop = Shop::embedded().await;
    let crowd = Crowd::come(&shop).await;
    let callers = Callers::sign_in(&shop).await;
    let operations = Operations::of(&shop.api).await;
    let before = state(&shop.api, &crowd).await;

    let mut refused = 0_u64;
    let mut failures = String::new();
    for operation in operations.all() {
        for (caller, token) in callers.not_of(&operation) {
            let answer = call(&shop.api, &operation, token, &crowd.ids()).await;
            let expected =
                if caller == "anonymous" { (401, "auth.missing") } else { (403, "auth.forbidden") };
            if (answer.status, answer.code()) != expected {
                writeln!(failures, "{} by {caller}: {} {}", operation.name(), answer.status, answer.text)
                    .unwrap();
            }
            refused += 1;
        }
    }
    assert!(failures.is_empty(), "these were not refused as they should be:\n{failures}");

    let foreign = others_things(&shop.api, &operations, &callers, &crowd).await;
    assert_eq!(before, state(&shop.api, &crowd).await, "something that was refused has changed something");
    assert!(refused > 250 && foreign > 40, "only {refused} and {foreign} calls were tried");
    record(
        "access",
        "Every operation refuses everybody whom the API document does not let in, answers to nobody with \
         somebody else's things, and changes nothing meanwhile.",
        &[
            ("operations", json!(operations.all().len())),
            ("calls refused by kind of caller", json!(refused)),
            ("calls refused for somebody else's things", json!(foreign)),
        ],
    );
}

/// Calls every operation that takes the id of something personal, with each such id of others, as a
/// customer and as nobody. Answers with how many calls were refused.
async fn others_things(api: &Api, operations: &Operations, callers: &Callers, crowd: &Crowd) -> u64 {
    let ids = crowd.ids();
    let mut tried = 0;
    for operation in operations.all() {
        let personal = operation
            .parameters("path")
            .into_iter()
            .filter_map(|(_, prefix)| prefix)
            .any(|prefix| !PUBLIC.contains(&prefix.as_str()));
        if !personal {
            continue;
        }
        let mut by = Vec::new();
        if operation.is_open() || operation.callers().contains(&"customer") {
            by.push(callers.customer.as_str());
        }
        if operation.is_open() {
            by.push("");
        }
        let most = ids.values().map(Vec::len).max().unwrap_or_default();
        for token in by {
            for nth in 0..most {
                let path = operation.path(|_, prefix| nth_id(&ids, prefix, nth));
                let answer = send(api, &operation, &path, token, &ids).await;
                let kept = matches!(answer.status, 401 | 403 | 404);
                assert!(kept, "{} {path} with {token:?}: {}", operation.name(), answer.text);
                let shown = crowd.customers.iter().chain([&crowd.guest]).map(|one| one.mark.as_str());
                for mark in shown {
                    assert!(!answer.text.contains(mark), "{path} shows {mark}: {}", answer.text);
                }
                tried += 1;
            }
        }
    }
    tried
}

/// One of each kind of caller.
struct Callers {
    customer: String,
    roles: Vec<(Role, String)>,
}

impl Callers {
    async fn sign_in(shop: &Shop) -> Self {
        let customer = sign_up(shop, "ada").await.token;
        let mut roles = Vec::new();
        for role in Role::ALL {
            let email = format!("{role}@example.com");
            shop.command(&["staff", "add", &email, "--role", role.as_str()], PASSWORD).await;
            roles.push((role, sign_in(&shop.api, &email, PASSWORD).await.access));
        }
        Self { customer, roles }
    }

    /// Those whom the operation does not let in. Nobody acts for a seller yet: there is no way to make such
    /// an account, and `crates/platform/web/tests/it/callers.rs` shows that their tokens are refused.
    fn not_of(&self, operation: &Operation<'_>) -> Vec<(String, &str)> {
        let allowed = operation.callers();
        let any_role = allowed.iter().any(|caller| caller.starts_with("staff:"));
        let mut others = Vec::new();
        if !operation.is_open() {
            others.push(("anonymous".to_owned(), ""));
            if !allowed.contains(&"customer") {
                others.push(("customer".to_owned(), self.customer.as_str()));
            }
        } else if !any_role {
            return others;
        }
        for (role, token) in &self.roles {
            let as_role = format!("staff:{role}");
            let may = allowed.contains(&"staff")
                || allowed.contains(&as_role.as_str())
                || any_role && *role == Role::Administrator;
            if !may {
                others.push((as_role, token));
            }
        }
        others
    }
}

/// A call that would succeed if it were not refused: every id in it is one of something that exists.
async fn call(
    api: &Api,
    operation: &Operation<'_>,
    token: &str,
    ids: &BTreeMap<String, Vec<String>>,
) -> Answer {
    let path = operation.path(|_, prefix| nth_id(ids, prefix, 0));
    send(api, operation, &path, token, ids).await
}

fn nth_id(ids: &BTreeMap<String, Vec<String>>, prefix: Option<&str>, nth: usize) -> String {
    let known = prefix.and_then(|prefix| ids.get(prefix)).filter(|ids| !ids.is_empty());
    match (known, prefix) {
        (Some(ids), _) => ids[nth % ids.len()].clone(),
        (None, Some(prefix)) => format!("{prefix}_01h2xcejqtf2nbrexx3vqjhp41"),
        (None, None) => "marketing_email".to_owned(),
    }
}

async fn send(
    api: &Api,
    operation: &Operation<'_>,
    path: &str,
    token: &str,
    ids: &BTreeMap<String, Vec<String>>,
) -> Answer {
    let mut call = api.call(operation.method(), path);
    for (name, _) in operation.parameters("header") {
        if name == "If-Match" {
            call = call.header(name, "\"1\"");
        }
    }
    if let Some(body) = operation.body(ids) {
        call = call.body(body);
    }
    if !token.is_empty() {
        call = call.bearer(token);
    }
    call.send().await
}

/// All that a refused call could have changed: everything about the people here, and the lists of the staff.
async fn state(api: &Api, crowd: &Crowd) -> Value {
    let mut state = Vec::new();
    for customer in &crowd.customers {
        state.push(customer.everything(api).await);
        state.push(api.get("/v1/carts/me").bearer(&customer.token).expect(200).await.body);
        state.push(api.get("/v1/auth/sessions").bearer(&customer.token).expect(200).await.body);
    }
    for path in ["orders", "payments", "products", "polls"] {
        let path = format!("/v1/admin/{path}?limit=100");
        state.push(api.get(&path).bearer(&crowd.staff).expect(200).await.body);
    }
    Value::Array(state)
}
