//! Operations against a provider whose every answer is scripted.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use contracts::payments::{AuthorizePayment, PaymentMethod, PaymentStatus};
use database::{Isolation, Next};
use futures_util::future::BoxFuture;
use http::HeaderMap;
use kernel::{Currency, OrderId};
use testkit::TestDatabase;
use uuid::Uuid;

use super::*;
use crate::connectors::{
    Authorize, Call, Capture, Connector, ConnectorError, Notification, RefundPayment, Void, WebhookError,
};
use crate::jobs;
use crate::model::decline::{self, decline};
use crate::model::{Fact, Payment, RefundFact, RefundSnapshot, RefundStatus, Snapshot};

type Script<T> = Mutex<VecDeque<Result<T, ConnectorError>>>;

/// Answers as it was told to, and writes down under which key it was asked.
#[derive(Default)]
struct Scripted {
    payments: Script<Snapshot>,
    refunds: Script<RefundSnapshot>,
    queries: Script<Option<Snapshot>>,
    keys: Mutex<Vec<String>>,
    /// Told when a call is made that is never answered.
    kept_waiting: tokio::sync::Notify,
    never_answers: AtomicBool,
}

const PATIENCE: Duration = Duration::from_secs(10);

impl Scripted {
    fn answer<T: Send + 'static>(&self, script: &Script<T>, key: Option<&str>) -> Call<'_, T> {
        if self.never_answers.load(Ordering::SeqCst) {
            self.kept_waiting.notify_one();
            return Box::pin(std::future::pending());
        }
        self.keys.lock().unwrap().extend(key.map(str::to_owned));
        let answer = script.lock().unwrap().pop_front().expect("nobody expected this call");
        Box::pin(async move { answer })
    }
}

impl Connector for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }
    fn timeout(&self) -> Duration {
        Duration::from_secs(1)
    }
    fn settles_within(&self) -> Duration {
        PATIENCE
    }
    fn authorize<'a>(&'a self, request: &'a Authorize) -> Call<'a, Snapshot> {
        self.answer(&self.payments, Some(&request.idempotency_key))
    }
    fn capture<'a>(&'a self, request: &'a Capture) -> Call<'a, Snapshot> {
        self.answer(&self.payments, Some(&request.idempotency_key))
    }
    fn void<'a>(&'a self, request: &'a Void) -> Call<'a, Snapshot> {
        self.answer(&self.payments, Some(&request.idempotency_key))
    }
    fn refund<'a>(&'a self, request: &'a RefundPayment) -> Call<'a, RefundSnapshot> {
        self.answer(&self.refunds, Some(&request.idempotency_key))
    }
    fn fetch(&self, _: PaymentId) -> Call<'_, Option<Snapshot>> {
        self.answer(&self.queries, None)
    }
    fn verify_webhook<'a>(
        &'a self,
        _: &'a HeaderMap,
        _: &'a [u8],
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), WebhookError>> {
        Box::pin(async { Err(WebhookError::Signature) })
    }
    fn parse_webhook(&self, _: &[u8]) -> Result<Notification, WebhookError> {
        Err(WebhookError::Unreadable)
    }
}

struct World {
    payments: Payments,
    provider: Arc<Scripted>,
}

const ID: PaymentId = PaymentId::from_uuid(Uuid::from_u128(1));
const LOST: ConnectorError = ConnectorError::Lost("no answer in time");

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn told(fact: Fact) -> Snapshot {
    Snapshot { reference: "ext_1".into(), fact, card: None, refunds: Vec::new() }
}

fn refused() -> ConnectorError {
    ConnectorError::Refused { reason: decline::DECLINED, provider_reason: Some("no".into()) }
}

impl World {
    async fn new(db: &TestDatabase) -> Self {
        db.migrate("payments", store::MIGRATIONS).await.unwrap();
        db.migrate("ledger", ledger::MIGRATIONS).await.unwrap();
        let provider = Arc::new(Scripted::default());
        let payments = Payments {
            database: Database::clone(db),
            connectors: Connectors::new([Arc::clone(&provider) as Arc<dyn Connector>]),
            origins: Arc::new(ReturnOrigins::new("https://shop.example", &[])),
        };
        Self { payments, provider }
    }

    fn says(&self, answer: Result<Snapshot, ConnectorError>) -> &Self {
        self.provider.payments.lock().unwrap().push_back(answer);
        self
    }

    fn shows(&self, answer: Result<Option<Snapshot>, ConnectorError>) -> &Self {
        self.provider.queries.lock().unwrap().push_back(answer);
        self
    }

    async fn authorize(&self) -> Result<Payment, Error> {
        let request = AuthorizePayment {
            payment_id: ID,
            order_id: OrderId::from_uuid(Uuid::from_u128(2)),
            customer_id: None,
            amount: eur(4_200),
            method: PaymentMethod { method: "card".into(), token: "tok".into() },
            return_url: "/thanks".into(),
        };
        self.payments.authorize(&request).await
    }

    async fn authorized(&self) -> Payment {
        self.says(Ok(told(Fact::Authorized))).authorize().await.unwrap()
    }

    async fn captured(&self) -> Payment {
        self.authorized().await;
        self.says(Ok(told(Fact::Captured { amount: eur(4_200) }))).payments.capture(ID, None).await.unwrap()
    }

    fn later(&self, by: Duration) {
        self.payments.database.clock().advance(by);
    }

    async fn payment(&self) -> Payment {
        let mut reader = self.payments.database.read_primary().await.unwrap();
        store::payments::get(&mut reader, ID).await.unwrap().unwrap()
    }

    /// Looks after the payment as often as it is due.
    async fn look_after(&self) -> usize {
        let handler = |item: database::DueItem| async move { jobs::resolve(&self.payments, &item.key).await };
        self.payments.database.work_once(RESOLVE, handler).await.unwrap()
    }

    async fn refund(&self, amount: i64, answer: Result<RefundFact, ConnectorError>) -> crate::model::Refund {
        let refund_id = RefundId::new(self.payments.now(), self.payments.database.rng());
        let answer = answer.map(|fact| RefundSnapshot { refund_id, reference: "ext_r".into(), fact });
        self.provider.refunds.lock().unwrap().push_back(answer);
        let ask = &AskRefund {
            payment_id: ID,
            refund_id,
            amount: Some(eur(amount)),
            reason: "late".into(),
            requested_by: "orders".into(),
            request_key: None,
        };
        let asked = self
            .payments
            .database
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let asked = self.payments.ask_refund(&mut tx, ask).await?;
                Ok::<_, Error>(tx.commit(asked).await?)
            })
            .await
            .unwrap();
        self.payments.send_refund(asked).await.unwrap()
    }

    async fn refund_status(&self, refund: RefundId) -> RefundStatus {
        let mut reader = self.payments.database.read_primary().await.unwrap();
        store::refunds::get(&mut reader, refund).await.unwrap().unwrap().status
    }

    /// Everything that was expected was asked for, nothing is left to do, and the books add up.
    async fn ends(&self) {
        assert!(self.provider.payments.lock().unwrap().is_empty());
        assert!(self.provider.refunds.lock().unwrap().is_empty());
        assert!(self.provider.queries.lock().unwrap().is_empty());
        let mut reader = self.payments.database.read_primary().await.unwrap();
        assert_eq!(ledger::verify(&mut reader).await.unwrap(), []);
        assert_eq!(store::attempts::open(&mut reader, ID).await.unwrap(), []);
        let (due,): (i64,) = reader.fetch_one("SELECT COUNT(*) FROM platform_due", &[]).await.unwrap();
        assert_eq!(due, 0, "nothing is left to look after");
    }

    fn keys(&self) -> Vec<String> {
        self.provider.keys.lock().unwrap().clone()
    }
}

testkit::on_both_engines! {
    async fn what_was_never_sent_has_failed(db: TestDatabase) {
        let world = World::new(&db).await;
        let payment = world.says(Err(ConnectorError::NotSent)).authorize().await.unwrap();
        assert_eq!(payment.status(), PaymentStatus::Failed);
        assert_eq!(payment.view().decline.unwrap(), decline(decline::PROVIDER_UNAVAILABLE, None));
        world.ends().await;
    }

    async fn a_provider_without_the_operation_says_so(db: TestDatabase) {
        let world = World::new(&db).await;
        world.authorized().await;
        let answer = world.says(Err(ConnectorError::Unsupported)).payments.capture(ID, None).await;
        assert!(matches!(answer, Err(Error::Unsupported)));
        assert_eq!(world.payment().await.status(), PaymentStatus::Authorized);
        world.ends().await;
    }

    /// The process ended before the call was made: only the intent is there.
    async fn an_intent_without_a_call_is_not_done(db: TestDatabase) {
        let world = World::new(&db).await;
        world.crash_while_authorizing().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Created);
        assert_eq!(world.look_after().await, 0, "somebody may still wait for the answer");

        world.later(Duration::from_secs(2));
        world.shows(Err(LOST)).look_after().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Unknown, "nobody is told what is not known");
        world.later(Duration::from_secs(2));
        world.shows(Ok(None)).look_after().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Unknown, "it may still arrive");
        world.later(PATIENCE);
        world.shows(Ok(None)).look_after().await;
        let payment = world.payment().await;
        assert_eq!(payment.view().decline.unwrap(), decline(decline::PROVIDER_ERROR, None));
        assert_eq!(world.authorize().await.unwrap(), payment, "it is not tried again under the same id");
        world.ends().await;
    }

    async fn a_capture_is_tried_again_under_a_new_key_only_when_it_did_not_happen(db: TestDatabase) {
        let world = World::new(&db).await;
        world.authorized().await;
        assert_eq!(world.says(Err(LOST)).payments.capture(ID, None).await.unwrap().status(), PaymentStatus::Unknown);
        assert_eq!(world.payments.capture(ID, None).await.unwrap().status(), PaymentStatus::Unknown, "no call is made");
        world.shows(Ok(Some(told(Fact::Authorized)))).look_after().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Unknown);
        world.later(PATIENCE);
        world.shows(Ok(Some(told(Fact::Authorized)))).look_after().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Authorized);
        let paid = world.says(Ok(told(Fact::Captured { amount: eur(4_200) }))).payments.capture(ID, None).await.unwrap();
        assert_eq!(paid.status(), PaymentStatus::Captured);
        let keys = world.keys();
        assert_eq!(keys.len(), 3);
        assert_ne!(keys[1], keys[2]);
        world.ends().await;
    }

    /// The provider refuses to capture because the authorisation ran out there: it is asked what is true.
    async fn a_refused_capture_is_looked_into(db: TestDatabase) {
        let world = World::new(&db).await;
        world.authorized().await;
        world.says(Err(refused())).shows(Ok(Some(told(Fact::Voided))));
        assert_eq!(world.payments.capture(ID, None).await.unwrap().status(), PaymentStatus::Voided);
        world.ends().await;
    }

    async fn a_void_is_sent_until_it_is_done(db: TestDatabase) {
        let world = World::new(&db).await;
        world.authorized().await;
        let payment = world.says(Err(ConnectorError::NotSent)).payments.void(ID).await.unwrap();
        assert_eq!(payment.status(), PaymentStatus::Authorized);
        assert_eq!(world.payments.capture(ID, None).await.unwrap().status(), PaymentStatus::Authorized, "not any more");
        world.says(Err(ConnectorError::NotSent)).look_after().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Authorized);
        world.later(Duration::from_secs(5));
        world.says(Ok(told(Fact::Voided))).look_after().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Voided);
        world.ends().await;
    }

    /// Money that turns up after we had concluded that there is none is let go.
    async fn what_turns_up_after_all_is_voided(db: TestDatabase) {
        let world = World::new(&db).await;
        world.says(Err(LOST)).authorize().await.unwrap();
        world.later(PATIENCE);
        world.shows(Ok(None)).look_after().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Failed);
        assert_eq!(world.payments.void(ID).await.unwrap().status(), PaymentStatus::Failed);
        world.tell(told(Fact::Authorized)).await;
        world.says(Ok(told(Fact::Voided))).look_after().await;
        assert_eq!(world.payment().await.status(), PaymentStatus::Voided);
        world.ends().await;
    }

    async fn a_refused_refund_frees_its_money(db: TestDatabase) {
        let world = World::new(&db).await;
        world.captured().await;
        let refund = world.refund(4_200, Err(refused())).await;
        assert_eq!(refund.status, RefundStatus::Failed);
        assert_eq!(world.refund(4_200, Ok(RefundFact::Succeeded)).await.status, RefundStatus::Succeeded);
        assert_eq!(world.payment().await.status(), PaymentStatus::Refunded);
        world.look_after().await;
        world.later(Duration::from_secs(5));
        world.look_after().await;
        world.ends().await;
    }

    /// Nobody repeats a refund, so it is sent until the provider has it, with growing pauses.
    async fn a_refund_is_sent_until_it_is_done(db: TestDatabase) {
        let world = World::new(&db).await;
        world.captured().await;
        let paid = || told(Fact::Captured { amount: eur(4_200) });
        let refund = world.refund(200, Err(LOST)).await;
        assert_eq!(refund.status, RefundStatus::Unknown);
        world.later(PATIENCE);
        world.provider.refunds.lock().unwrap().push_back(Err(ConnectorError::NotSent));
        world.shows(Ok(Some(paid()))).look_after().await;
        assert_eq!(world.refund_status(refund.id).await, RefundStatus::Pending);
        world.later(Duration::from_secs(5));
        let done = RefundSnapshot { refund_id: refund.id, reference: "ext_r".into(), fact: RefundFact::Succeeded };
        world.provider.refunds.lock().unwrap().push_back(Ok(done));
        world.look_after().await;
        assert_eq!(world.refund_status(refund.id).await, RefundStatus::Succeeded);
        let keys = world.keys();
        let refunds: std::collections::BTreeSet<_> = keys[2..].iter().collect();
        assert_eq!(refunds.len(), 3, "each was known not to have happened: {keys:?}");
        world.later(Duration::from_secs(60));
        world.look_after().await;
        world.ends().await;
    }

    /// A refund that the provider works on is not sent again, but asked for.
    async fn a_pending_refund_is_waited_for(db: TestDatabase) {
        let world = World::new(&db).await;
        world.captured().await;
        let refund = world.refund(200, Ok(RefundFact::Pending)).await;
        assert_eq!(refund.status, RefundStatus::Pending);
        let shown = |fact| {
            let told_of = RefundSnapshot { refund_id: refund.id, reference: "ext_r".into(), fact };
            Snapshot { refunds: vec![told_of], ..told(Fact::Captured { amount: eur(4_200) }) }
        };
        world.shows(Ok(Some(shown(RefundFact::Pending)))).look_after().await;
        world.later(Duration::from_secs(3_600));
        world.shows(Ok(Some(shown(RefundFact::Succeeded)))).look_after().await;
        assert_eq!(world.refund_status(refund.id).await, RefundStatus::Succeeded);
        assert_eq!(world.payment().await.status(), PaymentStatus::PartiallyRefunded);
        world.ends().await;
    }

    /// What was not taken cannot be given back.
    async fn a_capture_that_fails_takes_its_open_refunds_with_it(db: TestDatabase) {
        let world = World::new(&db).await;
        world.captured().await;
        let done = world.refund(200, Ok(RefundFact::Succeeded)).await;
        let open = world.refund(300, Ok(RefundFact::Pending)).await;
        world.tell(told(Fact::CaptureFailed { decline: decline(decline::CAPTURE_FAILED, None) })).await;
        let payment = world.payment().await;
        assert_eq!((payment.status(), payment.captured, payment.refunded), (PaymentStatus::Failed, 200, 200));
        assert_eq!(world.refund_status(done.id).await, RefundStatus::Succeeded);
        assert_eq!(world.refund_status(open.id).await, RefundStatus::Failed);
        world.later(Duration::from_secs(60));
        world.look_after().await;
        world.ends().await;
    }
}

impl World {
    /// Begins an authorisation whose call is dropped while it waits, as in a process that ends.
    async fn crash_while_authorizing(&self) {
        self.provider.never_answers.store(true, Ordering::SeqCst);
        tokio::select! {
            answer = self.authorize() => panic!("{answer:?}"),
            () = self.provider.kept_waiting.notified() => {}
        }
        self.provider.never_answers.store(false, Ordering::SeqCst);
    }

    /// Tells of a payment as a notification would.
    async fn tell(&self, snapshot: Snapshot) {
        let subject = serde_json::to_value(crate::connectors::Subject::Payment(snapshot)).unwrap();
        let now = self.payments.now();
        let webhook = &store::webhooks::Webhook {
            id: kernel::WebhookId::new(now, self.payments.database.rng()),
            provider: "scripted",
            event_id: "evt".into(),
            kind: "told".into(),
            payment_id: Some(ID),
            occurred_at: now,
            subject,
            body: String::new(),
            received_at: now,
        };
        self.payments
            .database
            .write(|mut tx| async move {
                store::webhooks::insert(&mut tx, webhook).await?;
                tx.commit(()).await
            })
            .await
            .unwrap_or_else(|error: database::Error| panic!("{error}"));
        let next = jobs::process_webhooks(&self.payments, &ID.to_string()).await.unwrap();
        assert_eq!(next, Next::Done);
    }
}
