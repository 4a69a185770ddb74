//! The saga against every world it can meet: each step is answered, answered with a refusal, lost
//! on the way there, lost on the way back, or cut off by a crash; meanwhile people pay or do not,
//! cancel, and time passes. Every state that can be reached is visited.

use std::collections::{HashMap, HashSet, VecDeque};

use super::super::{Outcome, Unclear};
use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stock {
    Untouched,
    Held,
    Ended,
    Committed,
    Restocked,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Money {
    Absent,
    /// Voided before it was ever asked for.
    Barred,
    Asking,
    /// The provider's answer was lost: the money is set aside.
    UnknownAuthorized,
    /// The provider's answer was lost: nothing happened.
    UnknownNothing,
    Authorized,
    Captured,
    Refunded,
    Voided,
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum OrderIs {
    Absent,
    Placed,
    Cancelled,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Time {
    Early,
    Late,
    HoldOver,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct World {
    stock: Stock,
    money: Money,
    order: OrderIs,
    time: Time,
    /// A request for the payment is still on its way although its sender has given up waiting.
    delayed: bool,
}

const EXPIRES: Timestamp = Timestamp::from_seconds(1_000);

impl World {
    const START: Self = Self {
        stock: Stock::Untouched,
        money: Money::Absent,
        order: OrderIs::Absent,
        time: Time::Early,
        delayed: false,
    };

    fn now(self) -> Timestamp {
        if self.time == Time::Early { Timestamp::EPOCH } else { EXPIRES }
    }

    fn status(self) -> Option<PaymentStatus> {
        Some(match self.money {
            Money::Absent => return None,
            Money::Asking => PaymentStatus::RequiresAction,
            Money::UnknownAuthorized | Money::UnknownNothing => PaymentStatus::Unknown,
            Money::Authorized => PaymentStatus::Authorized,
            Money::Captured => PaymentStatus::Captured,
            Money::Refunded => PaymentStatus::Refunded,
            Money::Voided | Money::Barred => PaymentStatus::Voided,
            Money::Failed => PaymentStatus::Failed,
        })
    }

    fn told(self) -> Outcome {
        self.status().map_or(Outcome::NoPayment, |status| Outcome::Payment {
            status,
            next_action: None,
            decline: None,
            given_back: None,
        })
    }

    /// Everything that a step can do to the world, with the answer it then gives.
    fn effects(self, step: Step) -> Vec<(Self, Outcome)> {
        let refused = || Outcome::Refused { code: "x.y".into(), detail: String::new() };
        let stock = |stock| Self { stock, ..self };
        let money = |money| {
            let world = Self { money, ..self };
            (world, world.told())
        };
        match (step, self.stock, self.money) {
            (Step::ReserveStock, Stock::Untouched, _) => {
                vec![(stock(Stock::Held), Outcome::Reserved), (self, Outcome::OutOfStock(vec![]))]
            }
            (Step::ReserveStock, Stock::Held, _) => vec![(self, Outcome::Reserved)],
            (Step::ReserveStock, _, _) => vec![(self, Outcome::ReservationEnded)],
            (Step::ReleaseStock, Stock::Held, _) => vec![(stock(Stock::Ended), Outcome::StockReturned)],
            (Step::ReleaseStock, _, _) => vec![(self, Outcome::StockReturned)],
            (Step::CommitStock, Stock::Held | Stock::Committed, _) => {
                vec![(stock(Stock::Committed), Outcome::StockCommitted)]
            }
            (Step::CommitStock, Stock::Restocked, _) => vec![(self, Outcome::StockCommitted)],
            (Step::CommitStock, _, _) => vec![(self, Outcome::ReservationEnded)],
            (Step::Restock { commit_first: true }, Stock::Held, _) => vec![
                (stock(Stock::Committed), Outcome::Unclear(Unclear::TimedOut)),
                (stock(Stock::Restocked), Outcome::StockReturned),
            ],
            (Step::Restock { .. }, Stock::Committed | Stock::Restocked, _) => {
                vec![(stock(Stock::Restocked), Outcome::StockReturned)]
            }
            (Step::Restock { .. }, _, _) => vec![(self, refused())],
            (Step::AuthorisePayment, _, Money::Absent) => vec![
                money(Money::Authorized),
                money(Money::Captured),
                money(Money::Asking),
                money(Money::Failed),
                money(Money::UnknownAuthorized),
                money(Money::UnknownNothing),
                (self, refused()),
            ],
            (Step::AuthorisePayment | Step::AskPayment, _, _) => vec![(self, self.told())],
            (Step::VoidPayment, _, Money::Absent) => {
                vec![money(Money::Barred), (Self { money: Money::Barred, ..self }, Outcome::NoPayment)]
            }
            (Step::VoidPayment, _, Money::Asking | Money::Authorized) => vec![money(Money::Voided)],
            (Step::VoidPayment, _, _) => vec![(self, self.told()), (self, refused())],
            (Step::CapturePayment, _, Money::Authorized) => {
                vec![money(Money::Captured), money(Money::Failed)]
            }
            (Step::CapturePayment, _, _) => vec![(self, self.told()), (self, refused())],
            (Step::RefundPayment, _, Money::Captured) => vec![money(Money::Refunded), (self, self.told())],
            (Step::RefundPayment, _, _) => vec![(self, refused())],
            (Step::PlaceOrder, _, _) => vec![(Self { order: OrderIs::Placed, ..self }, Outcome::Placed)],
        }
    }

    /// What may happen without the saga.
    fn drift(self) -> Vec<Self> {
        let mut worlds = Vec::new();
        let money: &[Money] = match self.money {
            Money::Asking => &[Money::Authorized, Money::Failed],
            Money::UnknownAuthorized => &[Money::Authorized],
            Money::UnknownNothing => &[Money::Failed],
            // A provider that said no may yet have said yes.
            Money::Failed => &[Money::Authorized],
            _ => &[],
        };
        worlds.extend(money.iter().map(|money| Self { money: *money, ..self }));
        if self.delayed {
            let money = if self.money == Money::Absent { Money::Authorized } else { self.money };
            worlds.push(Self { money, delayed: false, ..self });
        }
        match self.time {
            Time::Early => worlds.push(Self { time: Time::Late, ..self }),
            Time::Late => worlds.push(Self { time: Time::HoldOver, ..self }),
            Time::HoldOver if self.stock == Stock::Held => {
                worlds.push(Self { stock: Stock::Ended, ..self });
            }
            Time::HoldOver => {}
        }
        worlds
    }
}

type Key = (Stage, Option<Stage>, Option<PaymentStatus>, bool, World);

fn key(saga: &Saga, world: World) -> Key {
    (saga.stage, saga.turned_back_at, saga.payment_status, saga.attempts > 0, world)
}

/// Any wait is over, and how often something was tried only matters as "before or not".
fn settled(saga: Saga) -> Saga {
    Saga { wake_at: None, attempts: saga.attempts.min(1), ..saga }
}

/// A new state of the saga, with what the same transaction does to the order.
fn stored(before: &Saga, after: Saga, mut world: World) -> (Saga, World) {
    let turned_back = before.turned_back_at.is_none() && after.turned_back_at.is_some();
    if turned_back && before.stage.is_placed() {
        world.order = OrderIs::Cancelled;
    }
    (settled(after), world)
}

fn successors(saga: &Saga, world: World) -> Vec<(Saga, World)> {
    let now = world.now();
    let mut next: Vec<(Saga, World)> = world.drift().into_iter().map(|world| (saga.clone(), world)).collect();
    if let Plan::Take(step) = saga.plan(now) {
        for (effect, outcome) in world.effects(step) {
            next.push(stored(saga, saga.after(&outcome, now), effect));
            // Placing an order is one transaction with the saga's own state; the rest are calls.
            if step != Step::PlaceOrder {
                let lost = Outcome::Unclear(Unclear::TimedOut);
                next.push(stored(saga, saga.after(&lost, now), effect));
                next.push((saga.clone(), effect));
            }
        }
        for unclear in [Unclear::Unreachable, Unclear::Failed, Unclear::TimedOut] {
            let delayed = step == Step::AuthorisePayment && unclear == Unclear::TimedOut;
            let world = World { delayed: world.delayed || delayed, ..world };
            if step != Step::PlaceOrder {
                next.push(stored(saga, saga.after(&Outcome::Unclear(unclear), now), world));
            }
        }
    }
    if let Some(status) = world.status() {
        next.push(stored(saga, saga.payment_heard(status), world));
    }
    if world.order == OrderIs::Placed {
        next.push(stored(saga, saga.cancelled(), world));
    }
    if let Some(given_up) = saga.given_up(Failure::Superseded) {
        next.push(stored(saga, given_up, world));
    }
    next
}

/// Nothing is left to do, and hearing of the payment would change nothing.
fn is_quiet(saga: &Saga, world: World) -> bool {
    saga.plan(world.now()) == Plan::Ended
        && !world.delayed
        && world.status().is_none_or(|status| settled(saga.payment_heard(status)) == *saga)
}

fn explore() -> HashMap<Key, (Saga, World, Vec<Key>)> {
    let start = Saga::new(EXPIRES);
    let mut seen = HashMap::new();
    let mut open = VecDeque::from([(start, World::START)]);
    while let Some((saga, world)) = open.pop_front() {
        if seen.contains_key(&key(&saga, world)) {
            continue;
        }
        let next = successors(&saga, world);
        let keys = next.iter().map(|(saga, world)| key(saga, *world)).collect();
        seen.insert(key(&saga, world), (saga, world, keys));
        open.extend(next);
    }
    seen
}

#[test]
fn however_it_goes_stock_payment_and_order_agree_in_the_end() {
    let all = explore();
    assert!(all.len() > 500, "only {} states", all.len());
    let (mut bought, mut undone) = (0, 0);
    for (saga, world, _) in all.values().filter(|(saga, world, _)| is_quiet(saga, *world)) {
        let World { stock, money, order, .. } = *world;
        match saga.stage {
            Stage::Done => {
                assert_eq!((stock, money, order), (Stock::Committed, Money::Captured, OrderIs::Placed));
                bought += 1;
            }
            Stage::Undone => {
                assert!(
                    matches!(stock, Stock::Untouched | Stock::Ended | Stock::Restocked),
                    "{saga:?} {world:?}"
                );
                assert!(
                    matches!(
                        money,
                        Money::Absent | Money::Barred | Money::Voided | Money::Failed | Money::Refunded
                    ),
                    "{saga:?} {world:?}"
                );
                assert_ne!(order, OrderIs::Placed, "{saga:?} {world:?}");
                assert!(saga.failure.is_some());
                undone += 1;
            }
            stage => panic!("quiet at {stage:?}"),
        }
    }
    assert!(bought > 0 && undone > 0);
}

#[test]
fn an_order_is_placed_only_while_its_stock_is_held_and_its_money_is_there() {
    let all = explore();
    let mut placed = 0;
    for (saga, world, _) in all.values() {
        for (next, then) in successors(saga, *world) {
            if saga.stage != Stage::Place && next.stage == Stage::Place {
                assert!(matches!(then.money, Money::Authorized | Money::Captured), "{then:?}");
                // The hold outlives the time for paying, so whoever is in time is sure of the stock.
                assert_eq!((then.stock, then.time), (Stock::Held, Time::Early));
                placed += 1;
            }
        }
        if saga.stage == Stage::Undone {
            assert_ne!(world.stock, Stock::Held, "{saga:?} {world:?}");
        }
    }
    assert!(placed > 0);
}

#[test]
fn from_wherever_it_got_to_the_end_can_be_reached() {
    let all = explore();
    let mut before: HashMap<Key, Vec<Key>> = HashMap::new();
    for (from, (_, _, next)) in &all {
        for to in next {
            before.entry(*to).or_default().push(*from);
        }
    }
    let mut open: Vec<Key> =
        all.iter().filter(|(_, (saga, world, _))| is_quiet(saga, *world)).map(|(key, _)| *key).collect();
    let mut ends: HashSet<Key> = open.iter().copied().collect();
    while let Some(key) = open.pop() {
        for from in before.get(&key).into_iter().flatten() {
            if ends.insert(*from) {
                open.push(*from);
            }
        }
    }
    let stuck: Vec<_> = all.keys().filter(|key| !ends.contains(key)).collect();
    assert!(stuck.is_empty(), "{stuck:?}");
}

#[test]
fn waits_double_and_are_bounded() {
    let mut saga = Saga { stage: Stage::CommitStock, ..Saga::new(EXPIRES) };
    let mut waits = Vec::new();
    for _ in 0..20 {
        saga = saga.after(&Outcome::Unclear(Unclear::Failed), Timestamp::EPOCH);
        waits.push(saga.wake_at.unwrap().as_millis());
    }
    assert_eq!(waits[..4], [500, 1_000, 2_000, 4_000]);
    assert_eq!(waits[19], 300_000);
    assert!(matches!(saga.plan(Timestamp::EPOCH), Plan::Wait(_)));
}

#[test]
fn a_decline_is_told_in_the_words_of_the_provider() {
    let saga = Saga { stage: Stage::Authorise, ..Saga::new(EXPIRES) };
    let decline = contracts::payments::Decline {
        reason: "insufficient_funds".into(),
        provider_reason: Some("51: insufficient funds".into()),
    };
    let outcome = Outcome::Payment {
        status: PaymentStatus::Failed,
        next_action: None,
        decline: Some(decline),
        given_back: None,
    };
    let after = saga.after(&outcome, Timestamp::EPOCH);
    assert_eq!((after.stage, after.turned_back_at), (Stage::ReturnStock, Some(Stage::Authorise)));
    assert!(
        matches!(after.failure, Some(Failure::Declined { reason, .. }) if reason == "insufficient_funds")
    );
}

#[test]
fn only_a_checkout_without_an_order_can_be_given_up() {
    for stage in Stage::ALL {
        let saga = Saga { stage, ..Saga::new(EXPIRES) };
        let without = matches!(stage, Stage::Reserve | Stage::Authorise | Stage::AwaitPayment);
        assert_eq!(saga.given_up(Failure::Superseded).is_some(), without, "{stage:?}");
        assert_eq!(Stage::parse(stage.as_str()), Some(stage));
    }
}

/// A refund that the provider takes back is told twice: the payment holds money again, and the refund failed.
/// In whichever order, the checkout comes to its end instead of asking for the same refund for ever.
#[test]
fn a_refund_that_failed_is_left_to_the_staff() {
    let captured = PaymentStatus::Captured;
    let undone = Saga {
        stage: Stage::Undone,
        turned_back_at: Some(Stage::Done),
        failure: Some(Failure::Cancelled),
        payment_status: Some(PaymentStatus::Refunded),
        ..Saga::new(EXPIRES)
    };
    let told_first = undone.refund_failed().payment_heard(captured);
    assert_eq!(told_first.plan(Timestamp::EPOCH), Plan::Ended);
    let told_last = undone.payment_heard(captured);
    assert_eq!(told_last.stage, Stage::SettlePayment);
    let told_last = told_last.refund_failed();
    assert_eq!(told_last.plan(Timestamp::EPOCH), Plan::Take(Step::Restock { commit_first: false }));
    let ended = told_last.after(&Outcome::StockReturned, Timestamp::EPOCH);
    assert_eq!((ended.stage, ended.payment_heard(captured)), (Stage::Undone, ended.clone()));
    // It still stands: nothing was to be given back.
    let done = Saga { stage: Stage::Done, turned_back_at: None, ..undone };
    assert_eq!(done.refund_failed(), done);
}
