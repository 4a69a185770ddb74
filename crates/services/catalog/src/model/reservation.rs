//! The states of a checkout's reservation, and what each command makes of them.

use std::collections::BTreeMap;
use std::str::FromStr;

use contracts::catalog::LineRequest;
use kernel::{CheckoutId, Timestamp};

use crate::Error;

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// The stock is held until the time is over.
    Held,
    /// The stock has left.
    Committed,
    /// The stock had left and came back.
    Restocked,
    /// The stock was given back before it left.
    Released,
    /// The time was over.
    Expired,
}

impl State {
    pub(crate) const ALL: [Self; 5] =
        [Self::Held, Self::Committed, Self::Restocked, Self::Released, Self::Expired];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Committed => "committed",
            Self::Restocked => "restocked",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

/// A word that is no state.
#[derive(Debug)]
pub(crate) struct UnknownState;

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

/// What a checkout holds or held: each variant once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) checkout: CheckoutId,
    pub(crate) state: State,
    pub(crate) lines: Vec<LineRequest>,
    pub(crate) expires_at: Timestamp,
}

/// What can be asked of a reservation that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Make it final.
    Commit,
    /// Give it back.
    Release,
    /// Bring back what was final.
    Restock,
}

impl Reservation {
    /// What `command` does at `now`: the state that it leads to, or nothing when that is reached.
    ///
    /// # Errors
    /// When the reservation has taken another way.
    pub(crate) fn decide(&self, command: Command, now: Timestamp) -> Result<Option<State>, Error> {
        let state =
            if self.state == State::Held && self.expires_at <= now { State::Expired } else { self.state };
        match (command, state) {
            (Command::Commit, State::Held) => Ok(Some(State::Committed)),
            // Restocked: an answer was lost and the commit is repeated after its undo. It was done.
            (Command::Commit, State::Committed | State::Restocked) => Ok(None),
            (Command::Commit, State::Released | State::Expired) => Err(Error::ReservationEnded),
            (Command::Release, State::Held) => Ok(Some(State::Released)),
            (Command::Release, State::Released | State::Expired | State::Restocked) => Ok(None),
            (Command::Release, State::Committed) => Err(Error::ReservationCommitted),
            (Command::Restock, State::Committed) => Ok(Some(State::Restocked)),
            (Command::Restock, State::Restocked) => Ok(None),
            (Command::Restock, State::Held | State::Released | State::Expired) => {
                Err(Error::ReservationNotCommitted)
            }
        }
    }

    /// Whether asking for `lines` once more finds them reserved.
    ///
    /// # Errors
    /// When they no longer are, or others were asked for before.
    pub(crate) fn repeat(&self, lines: &[LineRequest], now: Timestamp) -> Result<(), Error> {
        match self.state {
            State::Held if self.expires_at <= now => Err(Error::ReservationEnded),
            State::Restocked | State::Released | State::Expired => Err(Error::ReservationEnded),
            State::Held | State::Committed if self.lines == lines => Ok(()),
            State::Held | State::Committed => Err(Error::ReservationDiffers),
        }
    }
}

/// The lines with those of one variant added up, in the order of their variants. `None` when a sum
/// leaves 64 bits.
pub(crate) fn add_up(lines: &[LineRequest]) -> Option<Vec<LineRequest>> {
    let mut sums = BTreeMap::new();
    for line in lines {
        let sum: &mut i64 = sums.entry(line.variant_id).or_default();
        *sum = sum.checked_add(line.quantity)?;
    }
    Some(sums.into_iter().map(|(variant_id, quantity)| LineRequest { variant_id, quantity }).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kernel::VariantId;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn line(variant: u128, quantity: i64) -> LineRequest {
        LineRequest { variant_id: VariantId::from_uuid(Uuid::from_u128(variant)), quantity }
    }

    fn held() -> Reservation {
        Reservation {
            checkout: CheckoutId::from_uuid(Uuid::from_u128(1)),
            state: State::Held,
            lines: vec![line(1, 2)],
            expires_at: Timestamp::from_seconds(60),
        }
    }

    #[test]
    fn lines_of_one_variant_are_added_up() {
        assert_eq!(add_up(&[line(2, 1), line(1, 3), line(2, 4)]).unwrap(), [line(1, 3), line(2, 5)]);
        assert_eq!(add_up(&[line(1, i64::MAX), line(1, 1)]), None);
    }

    #[test]
    fn asking_again_reserves_once() {
        let early = Timestamp::EPOCH;
        assert!(held().repeat(&[line(1, 2)], early).is_ok());
        assert!(matches!(held().repeat(&[line(1, 3)], early), Err(Error::ReservationDiffers)));
        let late = held().expires_at;
        assert!(matches!(held().repeat(&[line(1, 2)], late), Err(Error::ReservationEnded)));
        let released = Reservation { state: State::Released, ..held() };
        assert!(matches!(released.repeat(&[line(1, 2)], early), Err(Error::ReservationEnded)));
    }

    proptest! {
        /// However commands and time follow each other: the stock leaves at most once, comes back at
        /// most once, never leaves after it was given back, and repeating a command changes nothing.
        #[test]
        fn stock_leaves_once_and_comes_back_once(
            steps in proptest::collection::vec((0_u8..3, 0_u64..40), 1..12),
        ) {
            let mut reservation = held();
            let mut now = Timestamp::EPOCH;
            let mut path = vec![State::Held];
            for (command, seconds) in steps {
                now = now.plus(Duration::from_secs(seconds));
                let command = [Command::Commit, Command::Release, Command::Restock][usize::from(command)];
                if let Ok(Some(next)) = reservation.decide(command, now) {
                    prop_assert!(next != State::Committed || now < reservation.expires_at);
                    reservation.state = next;
                    path.push(next);
                    prop_assert!(matches!(reservation.decide(command, now), Ok(None)));
                }
            }
            let allowed: [&[State]; 4] = [
                &[State::Held],
                &[State::Held, State::Released],
                &[State::Held, State::Committed],
                &[State::Held, State::Committed, State::Restocked],
            ];
            prop_assert!(allowed.contains(&path.as_slice()), "{path:?}");
        }
    }
}
