use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Timestamp};
use parking_lot::Mutex;

/// When a breaker opens and closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerOptions {
    /// So many failures in a row open it.
    pub failures: u32,
    /// So long nothing is let through once it is open.
    pub pause: Duration,
    /// So many trials at once are let through after that; as many successes close it.
    pub trials: u32,
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self { failures: 5, pause: Duration::from_secs(2), trials: 2 }
    }
}

/// A circuit breaker: what keeps failing is left alone for a while, then tried carefully.
#[derive(Clone, Debug)]
pub struct Breaker {
    service: Arc<str>,
    options: BreakerOptions,
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Closed { failures: u32 },
    Open { until: Timestamp },
    HalfOpen { trials: u32, successes: u32 },
}

/// Leave to make one call; its outcome is told with [`Permit::end`]. Dropped without that, because
/// nobody waits any more, it says nothing about the other side and only frees its place.
#[derive(Debug)]
pub struct Permit {
    breaker: Breaker,
    trial: bool,
    ended: bool,
}

impl Breaker {
    /// A closed breaker for calls to `service`, which names it in the log.
    pub fn new(service: &str, options: BreakerOptions, clock: Clock) -> Self {
        Self {
            service: service.into(),
            options,
            clock,
            state: Arc::new(Mutex::new(State::Closed { failures: 0 })),
        }
    }

    /// Leave to make a call; `None` while it is open.
    pub fn acquire(&self) -> Option<Permit> {
        let mut state = self.state.lock();
        if let State::Open { until } = *state
            && self.clock.now() >= until
        {
            *state = State::HalfOpen { trials: 0, successes: 0 };
        }
        let trial = match &mut *state {
            State::Closed { .. } => false,
            State::Open { .. } => return None,
            State::HalfOpen { trials, .. } if *trials >= self.options.trials => return None,
            State::HalfOpen { trials, .. } => {
                *trials += 1;
                true
            }
        };
        Some(Permit { breaker: self.clone(), trial, ended: false })
    }

    /// Whether calls are let through without limit.
    pub fn is_closed(&self) -> bool {
        matches!(*self.state.lock(), State::Closed { .. })
    }

    fn ended(&self, trial: bool, success: bool) {
        let mut state = self.state.lock();
        let open = State::Open { until: self.clock.now().plus(self.options.pause) };
        let before = *state;
        *state = match (*state, success) {
            // A call from before it opened says nothing about now.
            (State::Open { until }, _) => State::Open { until },
            (half_open @ State::HalfOpen { .. }, _) if !trial => half_open,
            (State::Closed { .. }, true) => State::Closed { failures: 0 },
            (State::Closed { failures }, false) if failures + 1 < self.options.failures => {
                State::Closed { failures: failures + 1 }
            }
            (State::HalfOpen { trials, successes }, true) => {
                if successes + 1 >= self.options.trials {
                    State::Closed { failures: 0 }
                } else {
                    State::HalfOpen { trials: trials.saturating_sub(1), successes: successes + 1 }
                }
            }
            (State::Closed { .. } | State::HalfOpen { .. }, false) => open,
        };
        self.tell(before, *state);
    }

    fn tell(&self, before: State, now: State) {
        let service = self.service.as_ref();
        match (before, now) {
            (State::Closed { .. }, State::Open { .. }) => {
                metrics::counter!("channel_breaker_opened_total", "service" => service.to_owned())
                    .increment(1);
                tracing::warn!(service, "the service keeps failing and is left alone for a while");
            }
            (State::HalfOpen { .. }, State::Closed { .. }) => {
                tracing::info!(service, "the service answers again")
            }
            _ => {}
        }
    }
}

impl Permit {
    /// Says how the call ended.
    pub fn end(mut self, success: bool) {
        self.ended = true;
        self.breaker.ended(self.trial, success);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.trial
            && !self.ended
            && let State::HalfOpen { trials, .. } = &mut *self.breaker.state.lock()
        {
            *trials = trials.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaker() -> (Breaker, Clock) {
        let clock = Clock::manual(Timestamp::EPOCH);
        let options = BreakerOptions { failures: 3, pause: Duration::from_secs(10), trials: 2 };
        (Breaker::new("catalog", options, clock.clone()), clock)
    }

    fn call(breaker: &Breaker, success: bool) -> bool {
        breaker.acquire().map(|permit| permit.end(success)).is_some()
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_begins_the_count_anew() {
        let (breaker, _) = breaker();
        for success in [false, false, true, false, false] {
            assert!(call(&breaker, success));
        }
        assert!(breaker.is_closed());
        assert!(call(&breaker, false));
        assert!(!call(&breaker, true), "it is open");
    }

    #[test]
    fn after_the_pause_a_few_trials_decide() {
        let (breaker, clock) = breaker();
        (0..3).for_each(|_| assert!(call(&breaker, false)));
        clock.advance(Duration::from_secs(9));
        assert!(breaker.acquire().is_none());
        clock.advance(Duration::from_secs(1));
        let (first, second) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
        assert!(breaker.acquire().is_none(), "two trials at once are enough");
        first.end(true);
        assert!(!breaker.is_closed());
        second.end(true);
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_failed_trial_opens_it_again_for_the_whole_pause() {
        let (breaker, clock) = breaker();
        (0..3).for_each(|_| assert!(call(&breaker, false)));
        clock.advance(Duration::from_secs(10));
        let (first, late) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
        first.end(false);
        late.end(true);
        clock.advance(Duration::from_secs(9));
        assert!(breaker.acquire().is_none(), "a late success does not close it");
    }

    #[test]
    fn a_trial_that_is_given_up_frees_its_place() {
        let (breaker, clock) = breaker();
        (0..3).for_each(|_| assert!(call(&breaker, false)));
        clock.advance(Duration::from_secs(10));
        for _ in 0..5 {
            drop(breaker.acquire().unwrap());
        }
        assert!(!breaker.is_closed());
    }

    #[test]
    fn a_call_from_before_it_opened_counts_for_nothing_later() {
        let (breaker, clock) = breaker();
        let slow = breaker.acquire().unwrap();
        (0..3).for_each(|_| assert!(call(&breaker, false)));
        clock.advance(Duration::from_secs(10));
        let _trial = breaker.acquire().unwrap();
        slow.end(false);
        assert!(breaker.acquire().is_some(), "still half open");
    }
}
