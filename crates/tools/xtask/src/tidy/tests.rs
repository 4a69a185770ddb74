//! A clean workspace passes, and each breach is caught.

use std::collections::BTreeMap;

use super::workspace::Workspace;
use super::{Finding, access};

const MANIFEST: &str = "[dependencies]\n[lints]\nworkspace = true\n";
const ORDERS: &str = "crates/services/orders/src/ops/place.rs";

/// A workspace of these files and no others.
pub(super) fn workspace(files: &[(&str, &str)]) -> Workspace {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Workspace::of(files.collect()).unwrap()
}

const OPENAPI: &str = r##"{
  "paths": {
    "/v1/orders": {
      "get": {"security": [{"bearer": ["customer"]}, {"bearer": ["staff"]}],
              "responses": {"404": {"$ref": "#/components/responses/Lost"}}},
      "post": {"security": [{}], "responses": {"409": {"content":
        {"application/problem+json": {"schema": {"$ref": "#/components/schemas/OutOfStock"}}}}}}
    }
  },
  "components": {
    "responses": {"Lost": {"content": {"application/problem+json": {"schema": {"allOf": [
      {"properties": {"status": {"type": "integer", "description": "The status."}}},
      {"properties": {"code": {"const": "orders.not_found", "description": "The code."}}}]}}}}},
    "schemas": {"OutOfStock": {"properties": {"code": {"enum": ["orders.out_of_stock"]}}},
                "Order": {"properties": {"code": {"enum": ["no_error"]}}}}
  }
}"##;

/// A small workspace without a breach.
fn clean() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let crates = ["foundation/kernel", "foundation/contracts", "platform/database", "platform/ledger"];
    let more = ["services/orders", "services/catalog", "services/gateway", "souk", "tools/testkit"];
    for folder in crates.into_iter().chain(more) {
        files.insert(format!("crates/{folder}/Cargo.toml"), MANIFEST.to_owned());
        files.insert(format!("crates/{folder}/README.md"), "What it is.".to_owned());
        files.insert(format!("crates/{folder}/src/lib.rs"), "//! What it is.\n".to_owned());
    }
    for service in ["orders", "catalog", "gateway"] {
        for file in
            ["src/config.rs", "src/error.rs", "src/service.rs", "src/routes/mod.rs", "tests/it/main.rs"]
        {
            files.insert(format!("crates/services/{service}/{file}"), String::new());
        }
    }
    files.remove("crates/services/gateway/src/routes/mod.rs");
    files.remove("crates/services/gateway/src/error.rs");
    files.insert(access::OPENAPI.to_owned(), OPENAPI.to_owned());
    files.insert(access::SNAPSHOT.to_owned(), access::snapshot(OPENAPI).unwrap());
    for code in ["orders.out_of_stock", "orders.not_found"] {
        let page = format!("# {code}\n\n**Status** 409\n\nWhat happened, what to do.\n");
        files.insert(format!("docs/errors/{code}.md"), page);
    }
    files
}

fn judge(files: BTreeMap<String, String>) -> Vec<Finding> {
    super::judge(&Workspace::of(files).unwrap(), 0)
}

/// What tidy says about the clean workspace with one file more, or another text in one.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let mut files = clean();
    files.insert(path.to_owned(), text.to_owned());
    judge(files).iter().map(ToString::to_string).collect()
}

/// Asserts that the file alone is a breach, at this line and of this rule.
#[track_caller]
fn catches(path: &str, text: &str, line_and_rule: &str) {
    let found = breaches(path, text);
    let expected = format!("{path}:{line_and_rule}: ");
    assert!(found.iter().any(|finding| finding.starts_with(&expected)), "{expected} is not in {found:#?}");
    assert!(found.iter().all(|finding| finding.starts_with(&format!("{path}:"))), "{found:#?}");
}

#[track_caller]
fn passes(path: &str, text: &str) {
    assert_eq!(breaches(path, text), [""; 0], "{path}");
}

fn with_dependency(name: &str) -> String {
    format!("[dependencies]\n{name}.workspace = true\n[lints]\nworkspace = true\n")
}

#[test]
fn a_clean_workspace_passes() {
    passes("crates/services/orders/src/model/order.rs", "pub(crate) fn total() -> i64 { 1 }");
}

#[test]
fn a_workspace_is_read_from_its_folder() {
    let root = tempfile::tempdir().unwrap();
    let breach = "fn f() { x.unwrap(); }".to_owned();
    let more = [(ORDERS, &breach), ("crates/services/orders/tests/it/journey.rs", &breach)];
    for (path, text) in clean().iter().map(|(path, text)| (path.as_str(), text)).chain(more) {
        let file = root.path().join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let findings = super::judge(&Workspace::read(root.path()).unwrap(), 0);
    let shown: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        ["crates/services/orders/src/ops/place.rs:1: panics: `unwrap` ends the program: return an error"]
    );
}

#[test]
fn services_do_not_know_one_another() {
    catches("crates/services/orders/Cargo.toml", &with_dependency("catalog"), "2: floors");
    passes("crates/services/orders/Cargo.toml", &with_dependency("contracts"));
}

#[test]
fn nobody_looks_up() {
    catches("crates/platform/ledger/Cargo.toml", &with_dependency("orders"), "2: floors");
    catches("crates/foundation/kernel/Cargo.toml", &with_dependency("database"), "2: floors");
    passes("crates/platform/ledger/Cargo.toml", &with_dependency("database"));
}

#[test]
fn tools_are_for_tests() {
    catches("crates/platform/ledger/Cargo.toml", &with_dependency("testkit"), "2: floors");
    let for_tests = with_dependency("testkit").replace("[dependencies]", "[dev-dependencies]");
    passes("crates/platform/ledger/Cargo.toml", &for_tests);
}

#[test]
fn the_foundation_has_no_input_or_output() {
    for name in ["tokio", "axum", "rusqlite", "tokio-postgres", "reqwest"] {
        catches("crates/foundation/contracts/Cargo.toml", &with_dependency(name), "2: floors");
    }
    passes("crates/foundation/contracts/Cargo.toml", &with_dependency("serde"));
}

#[test]
fn only_the_binary_reads_the_environment() {
    let reads = "use std::{env, fs};\nfn f() { let _ = env::var(\"HOME\"); }";
    catches(ORDERS, reads, "2: floors");
    catches(ORDERS, "fn f() {\n std::env::args(); }", "2: floors");
    passes("crates/souk/src/main.rs", reads);
}

#[test]
fn sql_stands_in_stores() {
    for statement in [
        "SELECT id FROM orders",
        "insert into orders (id) values ($1)",
        "select id from orders",
        "WITH recent AS (SELECT 1) SELECT 1",
        "CREATE TABLE orders (id uuid)",
    ] {
        let source = format!("fn f() {{\n call(\"{statement}\"); }}");
        catches(ORDERS, &source, "2: layers");
        passes("crates/services/orders/src/store/orders.rs", &source);
        passes("crates/platform/ledger/src/store.rs", &source);
    }
    catches(ORDERS, "fn f() {\n format!(r#\"\n   DELETE FROM orders {}\"#, 1); }", "2: layers");
    passes(ORDERS, "fn f() { call(\"Select a shade from the list\"); call(\"with love from us\"); }");
    passes(ORDERS, "/// SELECT in a comment\nfn f() {}");
}

#[test]
fn axum_stands_at_the_edge() {
    let source = "use axum::Json;";
    catches(ORDERS, source, "1: layers");
    for path in ["routes/list.rs", "pages/receipt.rs", "service.rs"] {
        passes(&format!("crates/services/orders/src/{path}"), source);
    }
    passes("crates/services/gateway/src/forward.rs", source);
}

#[test]
fn only_database_knows_the_engine() {
    for source in
        ["use rusqlite::Row;", "fn f() { if db.is_postgres() {} }", "fn f() { match Engine::Sqlite {} }"]
    {
        catches("crates/services/orders/src/store/orders.rs", source, "1: engines");
        passes("crates/platform/database/src/engine.rs", source);
    }
}

#[test]
fn time_and_chance_are_arguments() {
    for call in [
        "SystemTime::now()",
        "std::time::Instant::now()",
        "jiff::Timestamp::now()",
        "Uuid::now_v7()",
        "rand::random()",
        "getrandom::fill(&mut bytes)",
    ] {
        catches(ORDERS, &format!("fn f() {{\n {call}; }}"), "2: chance");
    }
    passes("crates/foundation/kernel/src/clock.rs", "fn f() { jiff::Timestamp::now(); }");
    passes("crates/services/orders/src/queue.rs", "fn f() { Instant::now(); }");
}

#[test]
fn no_floats_near_money() {
    catches(ORDERS, "fn f(amount: f64) {}", "1: chance");
    catches("crates/platform/ledger/src/lib.rs", "const RATE: i64 = as_int(1.5);", "1: chance");
    catches("crates/foundation/kernel/src/money.rs", "macro_rules! m { () => {\n 2.5 } }", "2: chance");
    passes("crates/platform/database/src/lib.rs", "const SHARE: f64 = 0.5;");
}

#[test]
fn nothing_panics() {
    for line in [
        "x.unwrap();",
        "x.expect(\"why\");",
        "panic!();",
        "todo!();",
        "unimplemented!();",
        "y(Option::unwrap);",
    ] {
        catches(ORDERS, &format!("fn f() {{\n {line} }}"), "2: panics");
    }
    passes(ORDERS, "fn f() { x.unwrap_or(1); x.unwrap_or_default(); key.unwrap(&wrapped); }");
    passes("crates/tools/testkit/src/lib.rs", "fn f() { x.unwrap(); }");
}

#[test]
fn tests_may_panic() {
    passes(ORDERS, "#[cfg(test)]\nmod tests {\n #[test]\n fn t() { x.unwrap(); }\n}");
    passes(ORDERS, "#[tokio::test]\nasync fn t() { x.unwrap(); }");
    catches(ORDERS, "#[cfg(not(test))]\nmod m {\n fn f() { x.unwrap(); } }", "3: panics");
}

#[test]
fn test_modules_in_files_of_their_own_may_panic() {
    let plain = ("#[cfg(test)]\nmod tests;", "ops/place/tests.rs");
    let named = ("#[cfg(test)]\n#[path = \"place_tests.rs\"]\nmod tests;", "ops/place_tests.rs");
    for (declaration, file) in [plain, named] {
        let mut files = clean();
        files.insert(ORDERS.to_owned(), declaration.to_owned());
        files.insert(format!("crates/services/orders/src/{file}"), "fn t() { x.unwrap(); }".to_owned());
        assert_eq!(judge(files), [], "{file}");
    }
}

#[test]
fn files_stay_short() {
    catches(ORDERS, &"const A: u8 = 1;\n".repeat(401), "1: size");
    passes(ORDERS, &"const A: u8 = 1;\n".repeat(400));
    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "const A: u8 = 1;\n".repeat(500));
    passes(ORDERS, &tests);
}

#[test]
fn functions_stay_short() {
    catches(
        ORDERS,
        &format!("struct S;\nimpl S {{\nfn f() {{\n{}}} }}", "let a = 1;\n".repeat(69)),
        "3: size",
    );
    passes(ORDERS, &format!("fn f() {{\n{}}}", "let a = 1;\n".repeat(68)));
    catches(ORDERS, "fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8) {}", "1: size");
    catches(ORDERS, "trait T {\nfn f(&self, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8); }", "2: size");
    passes(ORDERS, "fn f(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8) {}");
}

#[test]
fn contracts_stay_small() {
    let mut files = clean();
    for number in 0..10 {
        let path = format!("crates/foundation/contracts/src/m{number}.rs");
        files.insert(path, "const A: u8 = 1;\n".repeat(400));
    }
    let found = judge(files);
    assert_eq!(found.len(), 1);
    assert!(found[0].advice.contains("publish less"));
}

#[test]
fn features_change_nothing() {
    let with = |name: &str| format!("[features]\n{name} = []\n{MANIFEST}");
    catches("crates/platform/ledger/Cargo.toml", &with("fast"), "1: features");
    passes("crates/platform/ledger/Cargo.toml", &with("kafka"));
}

#[test]
fn the_snapshot_says_who_may_call() {
    let snapshot = access::snapshot(OPENAPI).unwrap();
    let lines: Vec<Vec<&str>> =
        snapshot.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines[0], words("GET /v1/orders allowed: customer, staff refused: anonymous, seller"));
    assert_eq!(lines[1], words("POST /v1/orders allowed: everybody refused: nobody"));

    let of = |orders: &str| {
        let document = OPENAPI.replace(r#""security": [{}]"#, &format!(r#""security": [{orders}]"#));
        let lines = access::snapshot(&document).unwrap();
        lines.lines().nth(3).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let by_role = of(r#"{"bearer": ["customer"]}, {"bearer": ["staff:orders"]}"#);
    let expected = "POST /v1/orders allowed: customer, staff:orders refused: anonymous, seller, other staff";
    assert_eq!(by_role, expected);
    let open = of(r#"{}, {"bearer": ["staff:orders"]}"#);
    assert_eq!(open, "POST /v1/orders allowed: everybody refused: other staff");
}

#[test]
fn a_changed_right_has_to_be_signed() {
    let opened = OPENAPI.replace(r#"{"bearer": ["staff"]}"#, r#"{"bearer": ["seller"]}"#);
    let found = breaches(access::OPENAPI, &opened);
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("docs/access.txt:3: access: `GET"), "{found:?}");
    assert!(found[0].contains("--sign-access"), "{found:?}");
}

#[test]
fn an_edited_snapshot_is_not_signed() {
    let edited = access::snapshot(OPENAPI).unwrap().replace("customer, staff", "customer");
    catches(access::SNAPSHOT, &edited, "3: access");
    let forged =
        format!("signed: sha256:00\n{}", access::snapshot(OPENAPI).unwrap().split_once('\n').unwrap().1);
    catches(access::SNAPSHOT, &forged, "1: access");
}

#[test]
fn every_endpoint_says_who_may_call_it() {
    for silent in [
        OPENAPI.replace(r#""security": [{}], "#, ""),
        OPENAPI.replace("staff", "boss"),
        OPENAPI.replace(r#"["staff"]"#, r#"["staff", "seller"]"#),
        OPENAPI.replace("[{}]", "[]"),
    ] {
        catches(access::OPENAPI, &silent, "1: access");
    }
    let mut files = clean();
    files.remove(access::OPENAPI);
    let found = judge(files);
    assert!(found[0].advice.contains("cargo xtask regen"), "{found:?}");
}

#[test]
fn every_error_has_a_page() {
    for code in ["orders.out_of_stock", "orders.not_found"] {
        let mut files = clean();
        files.remove(&format!("docs/errors/{code}.md"));
        let found = judge(files);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].rule == "documents" && found[0].advice.contains(code), "{found:?}");
    }
}

#[test]
fn pages_of_errors_have_one_shape() {
    let page = "docs/errors/orders.late.md";
    let good = "# orders.late\n\n**Status** 409\n\nIt is late. Wait.\n";
    assert!(breaches(page, good).is_empty());
    assert!(breaches(page, &good.replace("**Status** 409", "**Import report**")).is_empty());
    for bad in [
        good.replace("# orders.late", "# Late"),
        good.replace("**Status** 409", "HTTP status 409."),
        good.replace("409", "200"),
        good.replace("It is late. Wait.", ""),
        format!("{good}\n## Why\n\nTime passed.\n"),
    ] {
        catches(page, &bad, "1: documents");
    }
}

#[test]
fn refusals_of_imports_have_pages() {
    let code = "fn f() -> Verdict {\n    Verdict::refused(\"import.odd\", None, \"odd\")\n}\n";
    catches(ORDERS, code, "2: documents");
    catches(ORDERS, &code.replace("Verdict::refused", "Refusal::new"), "2: documents");
}

#[test]
fn everything_in_the_document_says_what_it_is() {
    let silent = OPENAPI.replace(r#", "description": "The status.""#, "");
    catches(access::OPENAPI, &silent, "1: documents");
    let silent = OPENAPI.replace(r#""post": {"#, r#""post": {"parameters": [{"name": "id"}], "#);
    catches(access::OPENAPI, &silent, "1: documents");
}

#[test]
fn services_follow_the_plan() {
    let required = ["README.md", "src/lib.rs", "src/config.rs", "src/error.rs", "src/service.rs"];
    for file in required.into_iter().chain(["src/routes/mod.rs", "tests/it/main.rs"]) {
        let mut files = clean();
        files.remove(&format!("crates/services/orders/{file}"));
        let found = judge(files);
        assert_eq!(found.len(), 1, "{file}: {found:?}");
        assert!(found[0].rule == "plan" && found[0].advice.contains(file), "{found:?}");
    }
}

#[test]
fn every_crate_obeys_the_lints() {
    catches("crates/platform/ledger/Cargo.toml", "[dependencies]\n", "1: plan");
}

#[test]
fn every_crate_stands_on_a_floor() {
    let files = [("crates/attic/Cargo.toml", MANIFEST)];
    let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert!(Workspace::of(files.into_iter().collect()).is_err());
}
