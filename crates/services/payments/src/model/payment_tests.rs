use kernel::Currency;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

const AMOUNT: i64 = 4_200;

fn payment() -> Payment {
    Payment {
        id: PaymentId::from_uuid(Uuid::from_u128(1)),
        order_id: OrderId::from_uuid(Uuid::from_u128(2)),
        customer_id: None,
        provider: "sandbox".into(),
        method: "card".into(),
        card: None,
        amount: eur(AMOUNT),
        captured: 0,
        refunded: 0,
        stage: Stage::Created,
        asked: None,
        void_wanted: false,
        action_url: None,
        decline: None,
        provider_reference: None,
        version: 1,
        created_at: Timestamp::EPOCH,
        updated_at: Timestamp::EPOCH,
    }
}

fn attempt(number: u128) -> AttemptId {
    AttemptId::from_uuid(Uuid::from_u128(number))
}

fn eur(amount: i64) -> Money {
    Money::new(amount, Currency::EUR)
}

fn no() -> Decline {
    decline(decline::DECLINED, Some("no"))
}

fn told(fact: Fact) -> Snapshot {
    let card = Card { brand: "visa".into(), last4: "4242".into() };
    Snapshot { reference: "sbx_1".into(), fact, card: Some(card), refunds: Vec::new() }
}

fn captured() -> Fact {
    Fact::Captured { amount: eur(AMOUNT) }
}

fn challenge() -> Fact {
    Fact::RequiresAction { url: "https://bank.example/1".into() }
}

/// The payment after all of `facts`, and what they moved in the ledger.
fn after(facts: &[Fact]) -> (Payment, Vec<Posting>) {
    let mut present = payment();
    let mut postings = Vec::new();
    for fact in facts {
        let step = present.observe(&told(fact.clone()));
        postings.extend(step.postings);
        present = step.next;
    }
    (present, postings)
}

#[test]
fn a_life_moves_money_once() {
    let (paid, postings) = after(&[challenge(), Fact::Processing, Fact::Authorized, captured()]);
    assert_eq!(paid.status(), PaymentStatus::Captured);
    assert_eq!(paid.captured, AMOUNT);
    assert_eq!(postings, [Posting::Hold, Posting::Capture(AMOUNT)]);
    let (voided, postings) = after(&[Fact::Authorized, Fact::Voided]);
    assert_eq!(voided.status(), PaymentStatus::Voided);
    assert_eq!(postings, [Posting::Hold, Posting::Release]);
    let (failed, postings) = after(&[Fact::Failed { decline: no() }]);
    assert_eq!((failed.view().decline, postings), (Some(no()), vec![]));
}

#[test]
fn ends_move_each_other_only_by_a_named_reversal() {
    let ends = [captured(), Fact::Voided, Fact::Failed { decline: no() }];
    for end in &ends {
        for other in ends.iter().filter(|other| *other != end) {
            let (ended, _) = after(std::slice::from_ref(end));
            let step = ended.observe(&told(other.clone()));
            assert_eq!((step.observed, &step.next), (Observed::Contradiction, &ended), "{end:?} {other:?}");
        }
    }
    let (back, postings) = after(&[Fact::Authorized, captured(), Fact::CaptureFailed { decline: no() }]);
    assert_eq!((back.status(), back.captured), (PaymentStatus::Failed, 0));
    assert_eq!(postings, [Posting::Hold, Posting::Capture(AMOUNT), Posting::TakeBack(AMOUNT)]);
    let late = back.observe(&told(captured()));
    assert_eq!((late.observed, late.postings), (Observed::Late, vec![]));
}

#[test]
fn a_capture_of_more_than_was_set_aside_is_not_believed() {
    let (held, _) = after(&[Fact::Authorized]);
    for amount in [eur(AMOUNT + 1), eur(0), Money::new(AMOUNT, Currency::USD)] {
        let step = held.observe(&told(Fact::Captured { amount }));
        assert_eq!((step.observed, step.next), (Observed::Contradiction, held.clone()));
    }
    let part = held.observe(&told(Fact::Captured { amount: eur(1_000) }));
    assert_eq!((part.next.captured, part.postings), (1_000, vec![Posting::Capture(1_000)]));
}

#[test]
fn a_lost_answer_is_unknown_until_the_provider_shows_it() {
    let asking = payment().asking(attempt(9), Operation::Authorize);
    assert_eq!(asking.status(), PaymentStatus::Created);
    let lost = asking.answered(attempt(9), &Answer::Lost).next;
    assert_eq!(lost.status(), PaymentStatus::Unknown);
    // Not there yet says nothing while it may still arrive.
    assert_eq!(lost.fetched(None, false).next, lost);
    let found = lost.fetched(Some(&told(Fact::Authorized)), false).next;
    assert_eq!((found.status(), found.asked), (PaymentStatus::Authorized, None));
    let never = lost.fetched(None, true).next;
    assert_eq!(
        (never.status(), never.view().decline.unwrap().reason.as_str()),
        (PaymentStatus::Failed, "provider_error")
    );
    // What we concluded ourselves gives way to what the provider says.
    let after_all = never.observe(&told(Fact::Authorized));
    assert_eq!(
        (after_all.next.status(), after_all.postings),
        (PaymentStatus::Authorized, vec![Posting::Hold])
    );
}

#[test]
fn a_lost_capture_is_not_resolved_by_old_news() {
    let (held, _) = after(&[Fact::Authorized]);
    let lost = held.asking(attempt(9), Operation::Capture).answered(attempt(9), &Answer::Lost).next;
    assert_eq!(lost.status(), PaymentStatus::Unknown);
    assert_eq!(lost.observe(&told(Fact::Authorized)).next.status(), PaymentStatus::Unknown);
    assert_eq!(lost.fetched(Some(&told(Fact::Authorized)), false).next.status(), PaymentStatus::Unknown);
    let not_done = lost.fetched(Some(&told(Fact::Authorized)), true).next;
    assert_eq!((not_done.status(), not_done.can_capture()), (PaymentStatus::Authorized, true));
    let done = lost.observe(&told(captured())).next;
    assert_eq!((done.status(), done.asked), (PaymentStatus::Captured, None));
}

#[test]
fn a_notification_may_be_faster_than_the_answer() {
    let asking = payment().asking(attempt(9), Operation::Authorize);
    let told_first = asking.observe(&told(Fact::Authorized)).next;
    for answer in [Answer::Lost, Answer::NotSent(no()), Answer::Refused(no())] {
        assert_eq!(told_first.answered(attempt(9), &answer).next, told_first, "{answer:?}");
    }
    let again = told_first.answered(attempt(9), &Answer::Snapshot(told(Fact::Authorized)));
    assert_eq!((again.next, again.postings), (told_first, vec![]));
}

#[test]
fn a_refusal_fails_an_authorisation_and_leaves_everything_else_as_it_was() {
    let asking = payment().asking(attempt(9), Operation::Authorize);
    assert_eq!(asking.answered(attempt(9), &Answer::Refused(no())).next.status(), PaymentStatus::Failed);
    assert_eq!(asking.answered(attempt(9), &Answer::NotSent(no())).next.status(), PaymentStatus::Failed);
    let (held, _) = after(&[Fact::Authorized]);
    for operation in [Operation::Capture, Operation::Void] {
        for answer in [Answer::Refused(no()), Answer::NotSent(no())] {
            let step = held.asking(attempt(9), operation).answered(attempt(9), &answer);
            assert_eq!((step.next, step.postings), (held.clone(), vec![]), "{operation} {answer:?}");
        }
    }
}

#[test]
fn a_void_that_is_wanted_waits_for_what_is_under_way() {
    let asking = payment().asking(attempt(9), Operation::Authorize);
    let wanted = Payment { void_wanted: true, ..asking };
    assert!(!wanted.needs_void());
    let held = wanted.answered(attempt(9), &Answer::Snapshot(told(Fact::Authorized))).next;
    assert!(held.needs_void() && !held.can_capture());
    assert!(!held.observe(&told(Fact::Voided)).next.needs_void());
}

#[test]
fn what_is_given_back_shows() {
    let (paid, _) = after(&[Fact::Authorized, captured()]);
    assert_eq!(paid.refunded(200).status(), PaymentStatus::PartiallyRefunded);
    assert_eq!(paid.refunded(AMOUNT).status(), PaymentStatus::Refunded);
    assert_eq!(paid.refunded(AMOUNT).refunded(-AMOUNT).status(), PaymentStatus::Captured);
    let (back, postings) = {
        let step = paid.refunded(200).observe(&told(Fact::CaptureFailed { decline: no() }));
        (step.next, step.postings)
    };
    assert_eq!((back.captured, postings), (200, vec![Posting::TakeBack(AMOUNT - 200)]));
}

#[test]
fn a_card_is_learned_once() {
    let (paid, _) = after(&[Fact::Authorized]);
    assert_eq!(paid.card.as_ref().unwrap().last4, "4242");
    let erased = Payment { card: None, ..paid };
    assert_eq!(erased.observe(&told(captured())).next.card, None);
}

/// Every way a provider may go, in order.
fn lives() -> impl Strategy<Value = Vec<Fact>> {
    let ending = prop_oneof![
        Just(vec![]),
        Just(vec![Fact::Failed { decline: no() }]),
        Just(vec![Fact::Authorized]),
        Just(vec![Fact::Authorized, Fact::Voided]),
        Just(vec![Fact::Authorized, captured()]),
        Just(vec![Fact::Authorized, Fact::Captured { amount: eur(1_000) }]),
        Just(vec![Fact::Authorized, captured(), Fact::CaptureFailed { decline: no() }]),
    ];
    (any::<bool>(), any::<bool>(), ending).prop_map(|(challenged, slow, ending)| {
        let mut life = Vec::new();
        life.extend(challenged.then(challenge));
        life.extend(slow.then_some(Fact::Processing));
        life.extend(ending);
        life
    })
}

/// What the ledger would hold: what is set aside, and what was taken.
fn books(postings: &[Posting]) -> (i64, i64) {
    postings.iter().fold((0, 0), |(held, taken), posting| match posting {
        Posting::Hold => (held + AMOUNT, taken),
        Posting::Capture(amount) => (held - AMOUNT, taken + amount),
        Posting::Release => (held - AMOUNT, taken),
        Posting::TakeBack(amount) => (held, taken - amount),
    })
}

proptest! {
    /// However the notifications of a payment are mixed and repeated, it ends as if they had come in
    /// their order and once, and so do the books.
    #[test]
    fn the_order_of_notifications_does_not_matter(
        life in lives(),
        repeated in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        shuffle in any::<u64>(),
    ) {
        let (expected, expected_postings) = after(&life);
        let mut mixed = life.clone();
        if !life.is_empty() {
            mixed.extend(repeated.iter().map(|index| index.get(&life).clone()));
        }
        let rng = kernel::Rng::seeded(shuffle);
        for last in (1..mixed.len()).rev() {
            mixed.swap(last, usize::try_from(rng.below(last as u64 + 1)).unwrap());
        }
        let (present, postings) = after(&mixed);
        prop_assert_eq!(present.stage, expected.stage);
        prop_assert_eq!(present.status(), expected.status());
        prop_assert_eq!(present.captured, expected.captured);
        prop_assert_eq!(&present.decline, &expected.decline);
        prop_assert_eq!(books(&postings), books(&expected_postings));
        // At no time is more let go or taken back than there is.
        for end in 0..=postings.len() {
            let (held, taken) = books(&postings[..end]);
            prop_assert!(held >= 0 && taken >= 0, "{:?}", &postings[..end]);
        }
    }

    /// The same with calls under way whose answers come at any time or never.
    #[test]
    fn answers_and_notifications_may_overtake_each_other(
        life in lives(),
        at in any::<prop::sample::Index>(),
        lost in any::<bool>(),
    ) {
        let asking = payment().asking(attempt(9), Operation::Authorize);
        let at = at.index(life.len() + 1);
        let mut present = asking;
        let mut postings = Vec::new();
        for (index, fact) in life.iter().enumerate() {
            if index == at && lost {
                present = present.answered(attempt(9), &Answer::Lost).next;
            }
            let step = present.observe(&told(fact.clone()));
            postings.extend(step.postings);
            present = step.next;
        }
        let (expected, expected_postings) = after(&life);
        let still_asking = present.asked.is_some();
        prop_assert_eq!(still_asking, life.is_empty(), "anything the provider says answers an authorisation");
        prop_assert_eq!(present.stage, expected.stage);
        prop_assert_eq!(postings, expected_postings);
    }
}
