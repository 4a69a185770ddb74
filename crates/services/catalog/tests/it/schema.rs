use testkit::TestDatabase;

use crate::support::Shop;

testkit::on_both_engines! {
    async fn every_column_is_declared(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let live = shop.db.schema_columns().await.unwrap();
        assert_eq!(database::columns::differences(&[catalog::COLUMNS, ledger::COLUMNS].concat(), &live), Vec::<String>::new());
    }

    async fn a_service_that_starts_again_finds_everything(db: TestDatabase) {
        let products = vec![crate::support::product("a", &[("A", 100, 1)])];
        let shop = Shop::with(db, products).await;
        let again = Shop::open(shop.db).await;
        assert_eq!(again.available("a", "A").await, 1);
    }
}

#[test]
fn every_operation_is_documented_with_its_errors() {
    let document = serde_json::to_value(catalog::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for member in ["summary", "description", "operationId", "security", "responses"] {
                assert!(!operation[member].is_null(), "{method} {path} has no {member}");
            }
            assert_eq!(operation["tags"], serde_json::json!(["catalog"]), "{method} {path}");
            let mut callers = operation["security"].as_array().unwrap().iter();
            let for_staff =
                callers.any(|one| one["bearer"][0].as_str().is_some_and(|who| who.starts_with("staff:")));
            assert_eq!(path.starts_with("/v1/admin/"), for_staff, "{method} {path}");
            if for_staff {
                assert!(!operation["responses"]["403"].is_null(), "{method} {path}");
            }
            operations.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    operations.sort();
    operations.dedup();
    assert_eq!(operations.len(), 14);
}

#[test]
fn every_code_has_a_page() {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/errors/");
    for code in catalog::error::ALL {
        let page = std::fs::read_to_string(format!("{pages}{}.md", code.code))
            .unwrap_or_else(|error| panic!("{}: {error}", code.code));
        assert!(page.starts_with(&format!("# {}\n", code.code)), "{}", code.code);
        assert!(page.contains(&format!("**Status** {}", code.status)), "{}", code.code);
    }
}
