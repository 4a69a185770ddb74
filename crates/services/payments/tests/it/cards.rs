//! No card number is ever kept or logged.

use std::io::Write;
use std::sync::{Arc, Mutex};

use contracts::payments::PaymentMethod;
use serde_json::json;
use testkit::TestDatabase;
use testkit::database::Engine;
use web::Role;

use crate::shop::{Shop, code, refused, staff};

const NUMBER: &str = "4242424242424242";

/// Everything that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// One thread, so that everything that happens is logged where the test looks.
#[tokio::test(flavor = "current_thread")]
async fn a_card_number_is_refused_and_leaves_no_trace() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let db = TestDatabase::on(Engine::Sqlite).await;
    let shop = Shop::open(&db).await;
    let mut wanted = shop.wanted("tok_visa");
    wanted.method = PaymentMethod { method: "card".into(), token: NUMBER.into() };
    assert_eq!(code(shop.client.authorize(&wanted).await.unwrap_err()), "request.card_number");
    wanted.method.token = "tok_visa".into();
    wanted.return_url = format!("/thanks?card={NUMBER}");
    assert_eq!(code(shop.client.authorize(&wanted).await.unwrap_err()), "request.card_number");

    let paid = shop.captured("tok_visa").await.payment_id;
    let body = json!({"reason": format!("back to {NUMBER}")});
    let path = format!("/v1/payments/{paid}/refunds");
    let answer = shop.post(&staff(&[Role::Payments]), &path, &[], &body).await;
    assert_eq!(answer.refusal(), refused(400, "request.card_number"));
    assert!(!answer.text().contains(NUMBER));

    // A provider that writes one into a notification: the notification counts, the number does not.
    let told = json!({
        "id": "evt_card", "type": "payment.captured", "created": "2026-01-01T00:00:00Z", "note": NUMBER,
        "payment": {"id": "sbx_1", "reference": paid, "status": "captured", "captured": {"amount": 4_200, "currency": "EUR"}},
    });
    assert_eq!(shop.notify(&told.to_string()).await.status, 200);
    shop.until("it was acted upon", async || {
        (shop.count("webhooks WHERE event_id = 'evt_card' AND outcome IS NOT NULL").await == 1).then_some(())
    })
    .await;

    drop(shop);
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!logged.is_empty(), "something is logged at all");
    assert!(!logged.contains(NUMBER), "not in the log");
    for entry in std::fs::read_dir(db.folder()).unwrap() {
        let path = entry.unwrap().path();
        let stored = std::fs::read(&path).unwrap();
        let found = stored.windows(NUMBER.len()).any(|window| window == NUMBER.as_bytes());
        assert!(!found, "not in {}", path.display());
    }
}
