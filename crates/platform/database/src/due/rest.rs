use std::time::Duration;

use tokio::time::Instant;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5);

/// Whether a queue rests because what it needs is away.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// Until when, and for how long it was then.
    resting: Option<(Instant, Duration)>,
}

impl Rest {
    /// What is needed was away just now: rests, for longer than the last time.
    pub(super) fn begin(&mut self, now: Instant) {
        let pause = match self.resting {
            // What was under way when the rest began says nothing new.
            Some((until, _)) if now < until => return,
            Some((_, last)) => (last * 2).min(LONGEST),
            None => FIRST,
        };
        self.resting = Some((now + pause, pause));
    }

    /// What is needed is there.
    pub(super) fn end(&mut self) {
        self.resting = None;
    }

    /// How long nothing is to be tried.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let (until, _) = self.resting?;
        until.checked_duration_since(now).filter(|left| !left.is_zero())
    }

    /// Whether one item is to be tried before the others.
    pub(super) const fn is_trying(&self) -> bool {
        self.resting.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_end_with_a_success() {
        let (mut rest, mut now) = (Rest::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..5 {
            rest.begin(now);
            rest.begin(now);
            let left = rest.left(now).unwrap();
            pauses.push(left.as_secs());
            now += left;
            assert_eq!(rest.left(now), None);
            assert!(rest.is_trying());
        }
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        rest.end();
        assert!(!rest.is_trying());
    }
}
