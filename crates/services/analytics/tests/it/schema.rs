use analytics::COLUMNS;
use database::columns::differences;

use crate::shop::{Shop, on_both_engines};

#[tokio::test]
async fn every_column_is_declared() {
    on_both_engines(async |shop: Shop| {
        let live = shop.database().schema_columns().await.unwrap();
        assert_eq!(differences(COLUMNS, &live), Vec::<String>::new());
    })
    .await;
}

#[tokio::test]
async fn every_code_in_the_document_has_a_page() {
    let document = serde_json::to_string(&analytics::openapi()).unwrap();
    let pages = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/errors"));
    let codes: Vec<&str> =
        document.split('"').filter(|text| text.starts_with("analytics.") && !text.contains(' ')).collect();
    assert!(codes.len() > 10);
    for code in codes {
        assert!(pages.join(format!("{code}.md")).exists(), "{code} has no page");
    }
}
