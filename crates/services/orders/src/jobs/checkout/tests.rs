//! Every call of every kind of checkout, made to fail in every way, with a crash before and after it:
//! whatever happens, stock, payment and order agree in the end, and what was promised is kept.

use contracts::payments::PaymentStatus;
use kernel::OrderId;
use serde_json::json;
use testkit::database::Engine;
use tokio::task::JoinSet;

use super::{QUEUE, let_go, resume};
use crate::Service;
use crate::jobs::mail;
use crate::model::cart::Owner;
use crate::model::checkout::{Checkout, Plan};
use crate::model::order::{Reader, Status, replay, verify};
use crate::stack::{Answer, Call, Fault, Held, Shelf, Stack, customer};
use crate::store::orders::OrderRow;
use crate::store::{carts, checkouts, events, orders};

/// How a checkout goes when nothing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scenario {
    Bought,
    Declined,
    ChallengePassed,
    ChallengeFailed,
    UnknownPaid,
    UnknownNothing,
    OutOfStock,
    CaptureFails,
    Cancelled,
    CancelledDuringChallenge,
}

impl Scenario {
    const ALL: [Self; 10] = [
        Self::Bought,
        Self::Declined,
        Self::ChallengePassed,
        Self::ChallengeFailed,
        Self::UnknownPaid,
        Self::UnknownNothing,
        Self::OutOfStock,
        Self::CaptureFails,
        Self::Cancelled,
        Self::CancelledDuringChallenge,
    ];

    const fn token(self) -> &'static str {
        match self {
            Self::Bought | Self::OutOfStock | Self::Cancelled => "tok_visa",
            Self::Declined => "tok_declined",
            Self::ChallengePassed | Self::ChallengeFailed | Self::CancelledDuringChallenge => "tok_challenge",
            Self::UnknownPaid => "tok_unknown",
            Self::UnknownNothing => "tok_unknown_nothing",
            Self::CaptureFails => "tok_capture_fails",
        }
    }

    /// What becomes of a payment that waits for somebody.
    const fn turn(self) -> Option<PaymentStatus> {
        match self {
            Self::ChallengePassed | Self::UnknownPaid => Some(PaymentStatus::Authorized),
            Self::ChallengeFailed | Self::UnknownNothing => Some(PaymentStatus::Failed),
            _ => None,
        }
    }

    /// Whether there is an order at the end when nothing fails.
    const fn sells(self) -> bool {
        matches!(self, Self::Bought | Self::ChallengePassed | Self::UnknownPaid)
    }
}

const STOCK: i64 = 5;
const WANTED: i64 = 2;

/// One run, and what there was to see at its end.
struct Run {
    scenario: Scenario,
    faults: Vec<(usize, Fault)>,
    stack: Stack,
}

impl Run {
    async fn new(scenario: Scenario, faults: &[(usize, Fault)]) -> Self {
        Self::on(Stack::new().await, scenario, faults)
    }

    fn on(stack: Stack, scenario: Scenario, faults: &[(usize, Fault)]) -> Self {
        for (call, fault) in faults {
            stack.faults.plan(*call, *fault);
        }
        Self { scenario, faults: faults.to_vec(), stack }
    }

    /// Sends `call` unless the service dies over it.
    async fn send(&self, service: &Service, call: Call) -> Option<Answer> {
        tokio::select! {
            answer = call.send(service) => Some(answer),
            () = self.stack.faults.crashed() => None,
        }
    }

    fn checkout(&self) -> Call {
        Call::post("/v1/checkouts").customer(1).header("idempotency-key", "once").json(json!({
            "shipping_address": {"name": "Maria", "line1": "Rua 1", "city": "Porto", "country": "PT"},
            "payment": {"method": "card", "token": self.scenario.token()},
        }))
    }

    /// Goes through the scenario; whatever is cut short is finished by another process. Returns how many
    /// calls were made.
    async fn go(&self) -> usize {
        let stack = &self.stack;
        let service = stack.service().await;
        let variant = stack.catalog.stock(1, 1_000, STOCK);
        let item = format!("/v1/carts/me/items/{variant}");
        Call::put(item).customer(1).json(json!({"quantity": WANTED})).send(&service).await.ok(200);
        if self.scenario == Scenario::OutOfStock {
            // The last ones go between the look at the shelf and the reservation.
            stack.catalog.oversell(variant);
        }
        let answer = self.send(&service, self.checkout()).await;
        if let Some(answer) = &answer {
            self.check_answer(answer);
        }
        self.carry_on(&service).await;
        if matches!(self.scenario, Scenario::Cancelled | Scenario::CancelledDuringChallenge) {
            for checkout in self.checkouts().await {
                let cancel = format!("/v1/orders/{}/cancel", checkout.order_id);
                self.send(&service, Call::post(cancel).customer(1).json(json!({}))).await;
            }
        }
        drop(service);
        let service = stack.another_process().await;
        // In steps shorter than a lease, so that the worker also comes too early.
        for _ in 0..120 {
            stack.advance(25);
            self.carry_on(&service).await;
            self.work(&service).await;
            if self
                .checkouts()
                .await
                .iter()
                .all(|checkout| checkout.saga.plan(stack.clock().now()) == Plan::Ended)
            {
                break;
            }
        }
        self.carry_on(&service).await;
        self.work(&service).await;
        let calls = stack.faults.calls().len();
        self.check(&service).await;
        calls
    }

    fn check_answer(&self, answer: &Answer) {
        let status = answer.status.as_u16();
        let known = matches!(status, 201 | 402 | 409 | 503 | 504);
        assert!(known, "{:?} {:?}: {status} {}", self.scenario, self.faults, answer.body);
        if !self.faults.is_empty() {
            return;
        }
        let expected = match self.scenario {
            Scenario::Declined => 402,
            Scenario::OutOfStock => 409,
            _ => 201,
        };
        assert_eq!(status, expected, "{:?}: {}", self.scenario, answer.body);
    }

    /// People and providers do their part, and the bus delivers, some of it twice.
    async fn carry_on(&self, service: &Service) {
        for payment in self.stack.payments.all() {
            let waits = matches!(payment.status, PaymentStatus::RequiresAction | PaymentStatus::Unknown);
            if let Some(status) = self.scenario.turn().filter(|_| waits) {
                self.stack.payments.turn(payment.order_id, status);
            }
        }
        let (changes, refunds) = self.stack.payments.take_events();
        for change in changes {
            self.stack.deliver(service, &change).await;
            self.stack.deliver(service, &change).await;
        }
        for refund in refunds {
            self.stack.deliver(service, &refund).await;
        }
    }

    async fn work(&self, service: &Service) {
        let shop = &service.shop;
        let work = shop.database.work_once(QUEUE, |item| {
            let (shop, faults) = (shop.clone(), self.stack.faults.clone());
            async move {
                // A worker that dies leaves its claim and its lease behind; the next one waits for them.
                tokio::select! {
                    next = resume(shop, item) => next,
                    () = faults.crashed() => Err("the worker died".into()),
                }
            }
        });
        work.await.unwrap();
        shop.database.work_once(mail::QUEUE, |item| mail::send(shop.clone(), item)).await.unwrap();
    }

    async fn checkouts(&self) -> Vec<Checkout> {
        let mut reader = self.stack.database.read().await.unwrap();
        let ids: Vec<(kernel::CheckoutId,)> =
            reader.fetch_all("SELECT id FROM checkouts ORDER BY id", &[]).await.unwrap();
        let mut found = Vec::new();
        for (id,) in ids {
            found.push(checkouts::get(&mut reader, id).await.unwrap().unwrap());
        }
        found
    }

    async fn order(&self, id: OrderId) -> Option<OrderRow> {
        let mut reader = self.stack.database.read().await.unwrap();
        let log = events::of_order(&mut reader, id).await.unwrap();
        let order = orders::find(&mut reader, id, Reader::Shop).await.unwrap();
        // The row is what the log says, to the last status.
        let replayed = replay(&verify(&log).unwrap());
        let told = |order: &OrderRow| (order.status, order.payment_status, order.version);
        assert_eq!(
            replayed.map(|order| (order.status, order.payment_status, order.version)),
            order.as_ref().map(told)
        );
        order
    }

    async fn check(&self, service: &Service) {
        let (what, catalog, payments) =
            ((self.scenario, &self.faults), &self.stack.catalog, &self.stack.payments);
        let (mut placed, mut kept) = (0, 0);
        for checkout in self.checkouts().await {
            let saga = &checkout.saga;
            assert_eq!(saga.plan(self.stack.clock().now()), Plan::Ended, "{what:?} {saga:?}");
            assert_eq!((checkout.leased_until, checkout.method.as_ref()), (None, None), "{what:?}");
            let (shelf, held) = (catalog.reservation(checkout.id), payments.of_order(checkout.order_id));
            let order = self.order(checkout.order_id).await;
            placed += usize::from(order.is_some());
            match order.filter(|order| order.status != Status::Cancelled) {
                Some(order) => {
                    kept += 1;
                    assert_eq!((shelf, held), (Some(Shelf::Committed), Held::Taken), "{what:?} {saga:?}");
                    assert_eq!(order.payment_status, PaymentStatus::Captured, "{what:?}");
                }
                None => {
                    assert!(
                        matches!(shelf, None | Some(Shelf::Ended | Shelf::Restocked)),
                        "{what:?} {shelf:?}"
                    );
                    assert!(matches!(held, Held::Nothing | Held::GivenBack), "{what:?} {held:?}");
                }
            }
        }
        assert!(kept <= 1, "{what:?}: one cart, {kept} orders");
        if self.faults.is_empty() {
            assert_eq!(kept == 1, self.scenario.sells(), "{what:?}");
        }
        let variant = catalog.stock_of(1);
        if self.scenario != Scenario::OutOfStock {
            assert_eq!(catalog.available(variant), STOCK - WANTED * i64::try_from(kept).unwrap(), "{what:?}");
        }
        self.check_cart(placed).await;
        self.check_mails(placed, placed - kept).await;
        if kept == 1 {
            let repeated = self.checkout().send(service).await;
            assert_eq!(repeated.status, 201, "{what:?}: {}", repeated.body);
        }
    }

    async fn check_cart(&self, placed: usize) {
        let mut reader = self.stack.database.read().await.unwrap();
        let cart = carts::find(&mut reader, Owner::Customer(customer(1))).await.unwrap().unwrap();
        assert_eq!(cart.lines.is_empty(), placed == 1, "{:?} {:?}", self.scenario, self.faults);
    }

    /// One mail for each thing that happened, however often it was tried.
    async fn check_mails(&self, placed: usize, cancelled: usize) {
        let mails = ::mail::mailbox::list(&self.stack.mails(), 100).await.unwrap();
        let count = |kind: &str| mails.iter().filter(|mail| mail.message_id.starts_with(kind)).count();
        let what = (self.scenario, &self.faults);
        assert_eq!((count("order_confirmation"), count("order_cancelled")), (placed, cancelled), "{what:?}");
    }
}

async fn go(scenario: Scenario, faults: &[(usize, Fault)]) -> usize {
    Run::new(scenario, faults).await.go().await
}

/// Runs everything, a few at a time.
async fn all(runs: impl IntoIterator<Item = (Scenario, Vec<(usize, Fault)>)>) {
    let mut runs = runs.into_iter();
    let mut going = JoinSet::new();
    loop {
        while going.len() < 8 {
            let Some((scenario, faults)) = runs.next() else { break };
            going.spawn(async move { go(scenario, &faults).await });
        }
        match going.join_next().await {
            Some(ended) => drop(ended.unwrap()),
            None => return,
        }
    }
}

/// On each engine as it goes when nothing fails, and when the process dies over the second call.
async fn on_engine(engine: Engine) {
    for scenario in Scenario::ALL {
        for faults in [&[][..], &[(1, Fault::CrashAfter)]] {
            assert!(Run::on(Stack::on(engine).await, scenario, faults).go().await > 0);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_on_sqlite() {
    on_engine(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_on_postgres() {
    on_engine(Engine::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_call_fails_in_each_way() {
    let mut runs = Vec::new();
    for scenario in Scenario::ALL {
        let calls = go(scenario, &[]).await;
        for call in 0..calls {
            runs.extend(Fault::ALL.map(|fault| (scenario, vec![(call, fault)])));
        }
    }
    assert!(runs.len() > 150, "{}", runs.len());
    all(runs).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_calls_in_a_row_fail() {
    let faults = [Fault::AnswerLost, Fault::CrashAfter, Fault::LostOnTheWay];
    let mut runs = Vec::new();
    for scenario in [Scenario::Bought, Scenario::CaptureFails, Scenario::Cancelled] {
        for call in 0..5 {
            for first in faults {
                runs.extend(faults.map(|second| (scenario, vec![(call, first), (call + 1, second)])));
            }
        }
    }
    all(runs).await;
}

/// The lease of a driver that lost its database does not keep the next one waiting.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_driver_that_fails_lets_go() {
    let run = Run::new(Scenario::Bought, &[(1, Fault::CrashBefore)]).await;
    let service = run.stack.service().await;
    let variant = run.stack.catalog.stock(1, 1_000, STOCK);
    let item = format!("/v1/carts/me/items/{variant}");
    Call::put(item).customer(1).json(json!({"quantity": WANTED})).send(&service).await.ok(200);
    assert!(run.send(&service, run.checkout()).await.is_none(), "it died");
    let service = run.stack.another_process().await;
    let [left] = &run.checkouts().await[..] else { panic!("there is one checkout") };
    let lease = left.leased_until;
    assert!(lease.is_some());
    run.work(&service).await;
    assert_eq!(run.checkouts().await[0].leased_until, lease, "it is left alone while it is leased");

    let_go(&service.shop, left.id, [None, lease]);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    while run.checkouts().await[0].leased_until.is_some() {
        assert!(tokio::time::Instant::now() < deadline, "the lease is not given up");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    // The clock has not moved: what was begun is taken up at once.
    run.work(&service).await;
    let [ended] = &run.checkouts().await[..] else { panic!("there is one checkout") };
    assert_eq!(ended.saga.plan(run.stack.clock().now()), Plan::Ended);
    assert_eq!(run.order(ended.order_id).await.unwrap().status, Status::Placed);
}
