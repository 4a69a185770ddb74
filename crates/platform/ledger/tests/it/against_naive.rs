//! Random histories end the same in the real ledger and in the naive one.

use std::time::Duration;

use database::Database;
use kernel::Timestamp;
use ledger::{Account, Guard, LedgerError, Movement, Transfer, TransferKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use testkit::TestDatabase;
use testkit::database::Engine;

use crate::naive::{Naive, Outcome};
use crate::support::*;

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Transfer(Vec<Draft>),
    Repeat(usize),
    Wait(u64),
    Tidy(u32),
}

/// A transfer whose ids are drawn only when it is its turn, so that most of them make sense then.
#[derive(Clone, Debug)]
struct Draft {
    /// The id of an earlier transfer, counted from the latest; mostly a new one.
    reused: Option<usize>,
    kind: DraftKind,
}

#[derive(Clone, Debug)]
enum DraftKind {
    Single(Movement),
    Pending(Movement, u64),
    /// Which pending transfer, counted from the latest.
    Post(usize, Option<i64>),
    Void(usize),
}

/// The ids that a history has given out.
#[derive(Default)]
struct Ids {
    all: Vec<u128>,
    pending: Vec<u128>,
}

impl Ids {
    fn fill_in(&mut self, draft: &Draft) -> Transfer {
        let from_the_end = |ids: &[u128], at: usize| ids.iter().rev().nth(at).copied().unwrap_or(9_999);
        let number = draft.reused.map_or(self.all.len() as u128 + 1, |at| from_the_end(&self.all, at));
        self.all.push(number);
        let kind = match draft.kind {
            DraftKind::Single(movement) => TransferKind::Single(movement),
            DraftKind::Pending(movement, seconds) => {
                self.pending.push(number);
                TransferKind::Pending { movement, timeout: Duration::from_secs(seconds) }
            }
            DraftKind::Post(at, amount) => {
                TransferKind::PostPending { pending: id(from_the_end(&self.pending, at)), amount }
            }
            DraftKind::Void(at) => TransferKind::VoidPending { pending: id(from_the_end(&self.pending, at)) },
        };
        Transfer { id: id(number), kind, reference: "test".to_owned() }
    }
}

/// Accounts 0 and 1 are free, 2 to 4 guarded, 5 counts something else, and 6 is not open.
fn accounts() -> Vec<Account> {
    let mut accounts = vec![
        plain(0),
        plain(1),
        guarded(2, Guard::DebitsMustNotExceedCredits),
        guarded(3, Guard::DebitsMustNotExceedCredits),
        guarded(4, Guard::CreditsMustNotExceedDebits),
        plain(5),
    ];
    accounts[5].unit = "USD".to_owned();
    accounts
}

/// What the guarded accounts hold at the beginning.
fn opening() -> Vec<Draft> {
    [movement(0, 2, 20), movement(0, 3, 5), movement(4, 0, 20)]
        .map(|movement| Draft { reused: None, kind: DraftKind::Single(movement) })
        .to_vec()
}

fn any_draft() -> impl Strategy<Value = Draft> {
    let wild =
        (0..7_u128, 0..7_u128, -1..9_i64).prop_map(|(debit, credit, amount)| movement(debit, credit, amount));
    let tame = (0..2_u128, 2..5_u128, 1..9_i64, 0..4_u8).prop_map(|(free, guarded, amount, way)| {
        if way == 0 { movement(free, guarded, amount) } else { movement(guarded, free, amount) }
    });
    let any_movement = prop_oneof![1 => wild, 12 => tame];
    let amount = prop_oneof![3 => Just(None), 2 => (0..9_i64).prop_map(Some)];
    let kind = prop_oneof![
        3 => any_movement.clone().prop_map(DraftKind::Single),
        5 => (any_movement, 1..6_u64).prop_map(|(movement, seconds)| DraftKind::Pending(movement, seconds)),
        3 => (0..6_usize, amount).prop_map(|(at, amount)| DraftKind::Post(at, amount)),
        2 => (0..6_usize).prop_map(DraftKind::Void),
    ];
    let reused = prop_oneof![20 => Just(None), 1 => (0..9_usize).prop_map(Some)];
    (reused, kind).prop_map(|(reused, kind)| Draft { reused, kind })
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => proptest::collection::vec(any_draft(), 1..3).prop_map(Step::Transfer),
        2 => (0..40_usize).prop_map(Step::Repeat),
        3 => (1..4_u64).prop_map(Step::Wait),
        1 => (1..4_u32).prop_map(Step::Tidy),
    ]
}

async fn outcome(db: &Database, slice: &[Transfer], now: Timestamp) -> Outcome {
    match transfer(db, slice, now).await {
        Ok(()) => Outcome::Done,
        Err(LedgerError::Exceeds(shortfalls)) => Outcome::Exceeds(shortfalls),
        Err(LedgerError::Refused { index, refusal }) => Outcome::Refused(index, refusal),
        Err(error) => panic!("{error:?}"),
    }
}

async fn play(db: &Database, steps: &[Step]) {
    let accounts = accounts();
    migrate(db).await;
    open_accounts(db, &accounts).await.unwrap();
    let (mut naive, mut ids, mut now) = (Naive::new(&accounts), Ids::default(), START);
    let mut slices: Vec<Vec<Transfer>> = Vec::new();
    let opening = Step::Transfer(opening());
    for (number, step) in std::iter::once(&opening).chain(steps).enumerate() {
        let slice = match step {
            Step::Transfer(drafts) => drafts.iter().map(|draft| ids.fill_in(draft)).collect(),
            Step::Repeat(which) => slices[which % slices.len()].clone(),
            Step::Wait(seconds) => {
                now = now.plus(Duration::from_secs(*seconds));
                continue;
            }
            Step::Tidy(limit) => {
                let overdue = naive.overdue(now);
                for released in expire_due(db, now, *limit).await.unwrap() {
                    assert!(overdue.contains(&released), "{released} was not overdue");
                }
                continue;
            }
        };
        let expected = naive.transfer(&slice, now);
        assert_eq!(outcome(db, &slice, now).await, expected, "step {number}: {slice:?}");
        let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        let balances = ledger::balances(&mut db.read_primary().await.unwrap(), &ids, now).await.unwrap();
        for id in ids {
            assert_eq!(balances[&id], naive.balance(id, now), "step {number}: {id}");
        }
        slices.push(slice);
    }
    assert_sound(db).await;
}

fn check(cases: u32, engine: Engine) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let steps = proptest::collection::vec(any_step(), 1..60);
    TestRunner::new(config)
        .run(&steps, |steps| {
            runtime.block_on(async {
                let db = TestDatabase::on(engine).await;
                play(&db, &steps).await;
            });
            Ok(())
        })
        .unwrap();
}

#[test]
fn random_histories_agree_on_sqlite() {
    check(80, Engine::Sqlite);
}

#[test]
fn random_histories_agree_on_postgres() {
    check(10, Engine::Postgres);
}
