//! What happened, for those who look for the reason.

use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Every step of a story, in order.
#[derive(Default)]
pub struct Trace {
    lines: Vec<String>,
    pub counts: Counts,
}

/// How often what was done.
#[derive(Clone, Copy, Default)]
pub struct Counts {
    pub requests: u64,
    pub delivered: u64,
    pub lost: u64,
    pub doubled: u64,
    pub crashes: u64,
    pub aborted: u64,
    pub repeated_events: u64,
    pub checkouts: u64,
    pub paid: u64,
    pub undone: u64,
    pub refunds: u64,
}

impl Trace {
    pub fn step(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// The same for the same story, until the network heals.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for line in self.script() {
            hash.update(line);
            hash.update([0]);
        }
        hash.finalize().into()
    }

    /// Where two stories part, until the network heals.
    pub fn difference(&self, other: &Self) -> String {
        let mut pairs = self.script().zip(other.script());
        match pairs.position(|(one, two)| one != two) {
            Some(at) => format!(
                "after\n{}\nonce\n{}\nagain\n{}",
                self.lines[at.saturating_sub(8)..at].join("\n"),
                self.lines[at],
                other.lines[at]
            ),
            None => {
                format!("one has {} steps, the other {}", self.script().count(), other.script().count())
            }
        }
    }

    /// The steps that the seed decides: all until the network heals. What then settles at one and the same
    /// moment does so in the order in which the threads that make it durable come back.
    fn script(&self) -> impl Iterator<Item = &String> {
        self.lines.iter().take_while(|line| !line.contains(" settles "))
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

impl Counts {
    fn each(&self) -> [(&'static str, u64); 11] {
        [
            ("requests by people", self.requests),
            ("calls delivered", self.delivered),
            ("calls or answers lost", self.lost),
            ("calls doubled", self.doubled),
            ("crashes", self.crashes),
            ("requests broken off", self.aborted),
            ("events delivered again", self.repeated_events),
            ("checkouts", self.checkouts),
            ("paid", self.paid),
            ("taken back", self.undone),
            ("refunds", self.refunds),
        ]
    }

    pub fn facts(&self) -> Vec<(&'static str, Value)> {
        self.each().into_iter().map(|(name, value)| (name, json!(value))).collect()
    }

    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.crashes += other.crashes;
        self.aborted += other.aborted;
        self.repeated_events += other.repeated_events;
        self.checkouts += other.checkouts;
        self.paid += other.paid;
        self.undone += other.undone;
        self.refunds += other.refunds;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.each().iter().map(|(name, value)| format!("{value} {name}")).collect();
        f.write_str(&parts.join(", "))
    }
}
