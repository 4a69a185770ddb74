use contracts::orders::Totals;
use kernel::{CheckoutId, Currency, CustomerId, OrderId, PaymentId, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

use super::super::{Line, replay};
use super::*;

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn variant(number: u128) -> VariantId {
    VariantId::from_uuid(Uuid::from_u128(number))
}

fn line(number: u128, quantity: i64) -> Line {
    Line {
        variant_id: Some(variant(number)),
        product_id: None,
        seller_id: None,
        sku: format!("SKU-{number}"),
        title: format!("Thing {number}"),
        brand: String::new(),
        category: None,
        quantity,
        fulfilled: 0,
        unit_price: eur(500),
        total: eur(500 * quantity),
        tax: eur(0),
        tax_basis_points: 0,
    }
}

fn placed() -> OrderEvent {
    let totals =
        Totals { subtotal: eur(1_500), discount: eur(0), shipping: eur(0), tax: eur(0), total: eur(1_500) };
    OrderEvent::OrderPlaced(Box::new(Placed {
        order_id: OrderId::from_uuid(Uuid::from_u128(1)),
        number: "S-0000-0001".into(),
        customer_id: Some(CustomerId::from_uuid(Uuid::from_u128(2))),
        checkout_id: CheckoutId::from_uuid(Uuid::from_u128(3)),
        payment_id: PaymentId::from_uuid(Uuid::from_u128(4)),
        lines: vec![line(1, 2), line(2, 1)],
        totals,
        placed_at: Timestamp::EPOCH,
    }))
}

fn order(events: &[OrderEvent]) -> Order {
    let beginning = placed();
    replay(std::iter::once(&beginning).chain(events)).unwrap()
}

fn refund_id(number: u128) -> RefundId {
    RefundId::from_uuid(Uuid::from_u128(number))
}

fn ship(lines: Option<&[(u128, i64)]>) -> Command {
    let lines = lines.map(|lines| {
        lines
            .iter()
            .map(|(number, quantity)| ShipLine { variant_id: variant(*number), quantity: *quantity })
            .collect()
    });
    Command::Ship { shipment_id: ShipmentId::from_uuid(Uuid::from_u128(9)), lines, tracking: None }
}

fn after(order: &Order, command: Command) -> Order {
    let events = decide(Some(order), command).unwrap();
    events.iter().fold(Some(order.clone()), evolve).unwrap()
}

fn kinds(result: Result<Vec<OrderEvent>, Refusal>) -> Vec<&'static str> {
    result.unwrap().iter().map(OrderEvent::kind).collect()
}

#[test]
fn an_order_begins_once() {
    let OrderEvent::OrderPlaced(placed) = placed() else { unreachable!() };
    assert_eq!(kinds(decide(None, Command::Place(placed.clone()))), ["order_placed"]);
    assert_eq!(decide(Some(&order(&[])), Command::Place(placed)), Err(Refusal::Present));
    assert_eq!(decide(None, ship(None)), Err(Refusal::Absent));
    assert_eq!(decide(None, Command::Cancel(CancelBy::Staff)), Err(Refusal::Absent));
}

/// Every payment status that an order can have against every status it can be told.
#[test]
fn payments_only_move_an_order_the_way_money_moves() {
    use PaymentStatus as P;
    let all = [
        P::Created,
        P::RequiresAction,
        P::Processing,
        P::Authorized,
        P::Captured,
        P::PartiallyRefunded,
        P::Refunded,
        P::Voided,
        P::Failed,
        P::Unknown,
    ];
    for from in [P::Authorized, P::Captured, P::PartiallyRefunded, P::Refunded, P::Voided, P::Failed] {
        for told in all {
            let state = Order { payment_status: from, ..order(&[]) };
            let events = kinds(decide(Some(&state), Command::RecordPayment(told)));
            let money_taken = matches!(told, P::Captured | P::PartiallyRefunded | P::Refunded);
            let expected: &[&str] = match (from, told) {
                (P::Authorized | P::Voided | P::Failed, _) if money_taken => &["payment_captured"],
                (P::Authorized, P::Voided) => &["payment_voided"],
                (P::Authorized | P::Captured | P::PartiallyRefunded | P::Refunded, P::Failed) => {
                    &["payment_failed"]
                }
                _ => &[],
            };
            assert_eq!(events, expected, "{from:?} told {told:?}");
        }
    }
}

fn paid() -> Order {
    after(&order(&[]), Command::RecordPayment(PaymentStatus::Captured))
}

#[test]
fn an_order_is_complete_when_paid_for_and_sent() {
    let sent = after(&paid(), ship(None));
    assert_eq!((sent.status, sent.fulfilment_status), (Status::Completed, Fulfilment::Fulfilled));
    assert_eq!(decide(Some(&sent), ship(None)), Err(Refusal::NotShippable));
}

#[test]
fn parts_are_sent_and_never_more_than_was_bought() {
    let state = after(&paid(), ship(Some(&[(1, 1)])));
    assert_eq!(state.fulfilment_status, Fulfilment::PartiallyFulfilled);
    for too_much in [[(1, 2)], [(2, 2)], [(3, 1)], [(1, 0)], [(1, -1)]] {
        assert_eq!(decide(Some(&state), ship(Some(&too_much))), Err(Refusal::ShipsTooMuch), "{too_much:?}");
    }
    assert_eq!(decide(Some(&state), ship(Some(&[(1, 1), (1, 1)]))), Err(Refusal::ShipsTooMuch));
    let state = after(&state, ship(None));
    assert_eq!(state.fulfilment_status, Fulfilment::Fulfilled);
    assert_eq!(decide(Some(&state), ship(None)), Err(Refusal::NotShippable));
}

#[test]
fn what_is_not_paid_for_is_not_sent() {
    for status in
        [PaymentStatus::Authorized, PaymentStatus::Voided, PaymentStatus::Failed, PaymentStatus::Refunded]
    {
        let state = Order { payment_status: status, ..order(&[]) };
        assert_eq!(decide(Some(&state), ship(None)), Err(Refusal::NotShippable), "{status:?}");
    }
}

/// Every status against every fulfilment.
#[test]
fn only_an_open_order_of_which_nothing_was_sent_can_be_cancelled() {
    for status in [Status::Pending, Status::Placed, Status::Completed, Status::Cancelled] {
        for sent in [Fulfilment::Unfulfilled, Fulfilment::PartiallyFulfilled, Fulfilment::Fulfilled] {
            let state = Order { status, fulfilment_status: sent, ..order(&[]) };
            let result = decide(Some(&state), Command::Cancel(CancelBy::Customer));
            match (status, sent) {
                (Status::Cancelled, _) => assert_eq!(result, Ok(vec![])),
                (Status::Placed, Fulfilment::Unfulfilled) => assert_eq!(kinds(result), ["order_cancelled"]),
                _ => assert_eq!(result, Err(Refusal::NotCancellable), "{status:?} {sent:?}"),
            }
        }
    }
}

#[test]
fn a_cancelled_order_is_not_sent_and_keeps_hearing_of_its_money() {
    let state = after(&order(&[]), Command::Cancel(CancelBy::Customer));
    assert_eq!(decide(Some(&state), ship(None)), Err(Refusal::NotShippable));
    let state = after(&state, Command::RecordPayment(PaymentStatus::Captured));
    assert_eq!((state.status, state.payment_status), (Status::Cancelled, PaymentStatus::Captured));
}

#[test]
fn a_refund_that_fails_after_all_is_taken_back_and_repetition_changes_nothing() {
    let record = |number, amount, succeeded| Command::RecordRefund {
        refund_id: refund_id(number),
        amount: eur(amount),
        succeeded,
    };
    let state = paid();
    assert_eq!(decide(Some(&state), record(1, 500, false)), Ok(vec![]));
    let state = after(&state, record(1, 500, true));
    assert_eq!(state.payment_status, PaymentStatus::PartiallyRefunded);
    assert_eq!(decide(Some(&state), record(1, 500, true)), Ok(vec![]));
    let state = after(&state, record(2, 1_000, true));
    assert_eq!(state.payment_status, PaymentStatus::Refunded);
    let state = after(&state, record(2, 1_000, false));
    assert_eq!((state.payment_status, state.refunded()), (PaymentStatus::PartiallyRefunded, 500));
    let state = after(&state, record(1, 500, false));
    assert_eq!(state.payment_status, PaymentStatus::Captured);
}

fn any_command() -> impl Strategy<Value = Command> {
    let status = prop_oneof![
        Just(PaymentStatus::Unknown),
        Just(PaymentStatus::Authorized),
        Just(PaymentStatus::Captured),
        Just(PaymentStatus::Voided),
        Just(PaymentStatus::Failed),
        Just(PaymentStatus::Refunded),
    ];
    prop_oneof![
        status.prop_map(Command::RecordPayment),
        (1_u128..4, 1_i64..800, any::<bool>()).prop_map(|(number, amount, succeeded)| {
            Command::RecordRefund { refund_id: refund_id(number), amount: eur(amount), succeeded }
        }),
        proptest::option::of(proptest::collection::vec((1_u128..4, 0_i64..4), 1..3))
            .prop_map(|lines| ship(lines.as_deref())),
        Just(Command::Cancel(CancelBy::Customer)),
        Just(Command::Cancel(CancelBy::StockLost)),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_an_order_stays_sound(commands in proptest::collection::vec(any_command(), 0..30)) {
        let mut state = order(&[]);
        let mut log = vec![placed()];
        for command in commands {
            let Ok(events) = decide(Some(&state), command.clone()) else { continue };
            let before = state.clone();
            state = events.iter().fold(Some(state), evolve).unwrap();
            log.extend(events);
            prop_assert!(state.lines.iter().all(|line| (0..=line.quantity).contains(&line.fulfilled)));
            // Whoever is cancelled stays cancelled, and is never sent.
            if before.status == Status::Cancelled {
                prop_assert_eq!(state.status, Status::Cancelled);
                prop_assert_eq!(&state.lines, &before.lines);
            }
            if state.status == Status::Completed {
                prop_assert_eq!(state.fulfilment_status, Fulfilment::Fulfilled);
            }
            prop_assert_eq!(state.version, i64::try_from(log.len()).unwrap());
            // What may be repeated changes nothing the second time.
            if !matches!(command, Command::Ship { .. }) {
                prop_assert_eq!(decide(Some(&state), command), Ok(vec![]));
            }
        }
        prop_assert_eq!(replay(&log), Some(state));
    }
}
