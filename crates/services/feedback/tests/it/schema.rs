use feedback::{Config, Service};
use serde_json::json;
use tokio::task::JoinSet;

use crate::support::{everywhere, everywhere_with};

#[test]
fn every_column_is_declared() {
    everywhere(async |world| {
        let live = world.platform.database.schema_columns().await.unwrap();
        assert_eq!(database::columns::differences(feedback::COLUMNS, &live), Vec::<String>::new());
    });
}

#[test]
fn ten_copies_that_start_at_once_make_one_poll_and_leave_it_closed() {
    everywhere_with(&Config { default_poll: false, ..Config::default() }, async |world| {
        let support = world.support();
        assert_eq!(support.get("/v1/admin/polls").await.expect(200).body["data"], json!([]));
        let start_ten = async || {
            let mut copies = JoinSet::new();
            for _ in 0..10 {
                let platform = world.platform.restarted().await;
                copies.spawn(async move { Service::new(&platform, Config::default()).await.map(drop) });
            }
            copies.join_all().await.into_iter().for_each(|started| started.unwrap());
            let polls = support.get("/v1/admin/polls").await.expect(200).body;
            assert_eq!(polls["data"].as_array().unwrap().len(), 1);
            polls["data"][0].clone()
        };
        let path = format!("/v1/admin/polls/{}", start_ten().await["id"].as_str().unwrap());
        support
            .send("PATCH", &path, &[("if-match", "\"1\"")], Some(json!({"status": "closed"})))
            .await
            .expect(200);
        assert_eq!(start_ten().await["status"], "closed");
    });
}

#[test]
fn every_operation_is_documented_with_its_errors() {
    let document = serde_json::to_value(feedback::openapi()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            for member in ["summary", "description", "operationId", "security", "responses"] {
                assert!(!operation[member].is_null(), "{method} {path} has no {member}");
            }
            assert_eq!(operation["tags"], json!(["feedback"]), "{method} {path}");
            let whose = if path.starts_with("/v1/admin/") { "staff:" } else { "customer" };
            for caller in operation["security"].as_array().unwrap() {
                let caller = caller["bearer"][0].as_str().unwrap();
                assert!(caller.starts_with(whose), "{method} {path}: {caller}");
            }
            for status in ["401", "403"] {
                assert!(!operation["responses"][status].is_null(), "{method} {path} has no {status}");
            }
            operations.push(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    operations.sort();
    operations.dedup();
    assert_eq!(operations.len(), 9);
}

#[test]
fn every_code_has_a_page() {
    let pages = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/errors/");
    for code in feedback::error::ALL {
        let page = std::fs::read_to_string(format!("{pages}{}.md", code.code))
            .unwrap_or_else(|error| panic!("{}: {error}", code.code));
        assert!(page.starts_with(&format!("# {}\n", code.code)), "{}", code.code);
        assert!(page.contains(&format!("**Status** {}", code.status)), "{}", code.code);
    }
}
