use contracts::customers::{Address, ConsentChanged, ImportCustomer};
use contracts::import::{Mode, Verdict};
use kernel::{CustomerId, Timestamp};
use serde_json::json;
use uuid::Uuid;
use web::{Caller, Role};

use crate::shop::{Shop, id};

fn address(line1: &str) -> Address {
    Address {
        name: "Ada".into(),
        line1: line1.into(),
        city: "Dublin".into(),
        country: "IE".into(),
        ..Address::default()
    }
}

fn record(number: u128) -> ImportCustomer {
    ImportCustomer {
        customer_id: CustomerId::from_uuid(Uuid::from_u128(number)),
        external_id: number.to_string(),
        email: format!("c{number}@example.com"),
        name: Some(format!("Customer {number}")),
        phone: None,
        locale: Some("de".into()),
        addresses: vec![address("1 Alder Street"), address("2 Birch Street")],
        consents: vec!["analytics".into()],
        created_at: Timestamp::from_seconds(852_076_800),
    }
}

fn caller(shop: &Shop, record: &ImportCustomer) -> Caller {
    let Caller::Customer(customer) = shop.customer() else { unreachable!() };
    Caller::Customer(web::Customer { id: record.customer_id, ..customer })
}

fn kinds(verdicts: &[Verdict]) -> String {
    verdicts
        .iter()
        .map(|verdict| match verdict {
            Verdict::Created => 'C',
            Verdict::Updated => 'U',
            Verdict::Unchanged => '=',
            Verdict::Refused { .. } => 'R',
        })
        .collect()
}

async fn import(shop: &Shop, records: &[ImportCustomer], mode: Mode) -> String {
    kinds(&shop.service.import_customers(records.to_vec(), mode).await.unwrap())
}

async fn count(shop: &Shop, sql: &str) -> i64 {
    shop.db.read_primary().await.unwrap().fetch_one::<(i64,)>(sql, &[]).await.unwrap().0
}

testkit::on_both_engines! {
    async fn a_file_twice_changes_nothing(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let records: Vec<_> = (1..=1_200).map(record).collect();
        let all = |kind: &str| kind.repeat(records.len());
        assert_eq!(import(&shop, &records, Mode::DryRun).await, all("C"));
        assert_eq!(count(&shop, "SELECT COUNT(*) FROM customers").await, 0);
        assert_eq!(import(&shop, &records, Mode::Apply).await, all("C"));
        assert_eq!(import(&shop, &records, Mode::DryRun).await, all("="));
        let before = shop.db.stats().transactions;
        assert_eq!(import(&shop, &records, Mode::Apply).await, all("="));
        assert_eq!(shop.db.stats().transactions, before, "nothing is even written");
        assert_eq!(count(&shop, "SELECT COUNT(*) FROM addresses").await, 2_400);

        let ada = caller(&shop, &records[6]);
        let me = shop.get(&ada, "/v1/customers/me").await.ok();
        assert_eq!((&me["name"], &me["email"]), (&json!("Customer 7"), &json!("c7@example.com")));
        assert_eq!((&me["locale"], &me["created_at"]), (&json!("de"), &json!("1997-01-01T00:00:00.000000Z")));
        let consents = shop.get(&ada, "/v1/customers/me/consents").await.ok();
        assert_eq!((&consents["data"][1]["granted"], &consents["data"][0]["granted"]), (&json!(true), &json!(false)));
        let found = shop.get(&shop.staff(Role::Support), "/v1/admin/customers?email=C7@example.com").await.ok();
        assert_eq!(found["data"][0]["id"], id(&ada).to_string());
    }

    async fn a_changed_record_replaces_what_was_imported_and_nothing_else(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let first = record(1);
        let ada = caller(&shop, &first);
        // Somebody who is here already and has an address of their own.
        let own = json!({"name": "Ada", "line1": "9 Own Street", "city": "Dublin", "country": "IE"});
        shop.post(&ada, "/v1/customers/me/addresses", own).await.ok();
        assert_eq!(import(&shop, std::slice::from_ref(&first), Mode::Apply).await, "U");
        let lines = async || {
            let list = shop.get(&ada, "/v1/customers/me/addresses").await.ok();
            let mut lines: Vec<_> = list["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|entry| format!("{} {}", entry["line1"].as_str().unwrap(), entry["default"]))
                .collect();
            lines.sort();
            lines
        };
        assert_eq!(lines().await, ["1 Alder Street false", "2 Birch Street false", "9 Own Street true"]);

        let changed = ImportCustomer { addresses: vec![address("3 Cedar Street")], ..first.clone() };
        let twice = [changed.clone(), changed.clone()];
        assert_eq!(import(&shop, &twice, Mode::Apply).await, "U=");
        assert_eq!(lines().await, ["3 Cedar Street false", "9 Own Street true"]);
        assert_eq!(shop.events::<ConsentChanged>().await.len(), 1, "the same consent is told once");
        // Within one batch the last record of somebody stands.
        assert_eq!(import(&shop, &[first.clone(), changed.clone()], Mode::Apply).await, "UU");
        assert_eq!(import(&shop, &[changed], Mode::Apply).await, "=");
    }

    async fn what_cannot_be_taken_is_named_and_the_rest_is_taken(db: testkit::TestDatabase) {
        let shop = Shop::open(db).await;
        let wrong = |change: &dyn Fn(&mut ImportCustomer)| {
            let mut record = record(2);
            change(&mut record);
            record
        };
        let records = vec![
            record(1),
            wrong(&|record| record.email = "nobody".into()),
            wrong(&|record| record.addresses[1].country = "Ireland".into()),
            wrong(&|record| record.consents = vec!["world_peace".into()]),
            wrong(&|record| record.locale = Some("english".into())),
            record(3),
        ];
        let verdicts = shop.service.import_customers(records, Mode::Apply).await.unwrap();
        assert_eq!(kinds(&verdicts), "CRRRRC");
        let fields: Vec<_> = verdicts
            .iter()
            .filter_map(|verdict| match verdict {
                Verdict::Refused { code, field, .. } => Some((code.as_str(), field.as_deref().unwrap())),
                _ => None,
            })
            .collect();
        let code = "request.validation";
        assert_eq!(
            fields,
            [(code, "email"), (code, "addresses.1.country"), (code, "consents"), (code, "locale")]
        );
        assert_eq!(count(&shop, "SELECT COUNT(*) FROM customers").await, 2);
    }
}
