//! Which refresh tokens of a session are good. Each use of a token gives out the next one, and a
//! token that comes a second time means either a lost answer or two holders.
//!
//! The tokens of a session are counted from one. Those that were given out for the last used token
//! and were not superseded are *open*: any of them may come next, and the first that does closes
//! the others.

/// Where the tokens of a session stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// The last token that was given out.
    pub(crate) issued: u32,
    /// The last token that was used; zero before the first use.
    pub(crate) used: u32,
    /// The first of the open tokens; those from here to `issued` are open.
    pub(crate) open_from: u32,
}

/// What a presented token means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// An open token: it is used now and the next one is given out.
    Rotated(Rotation),
    /// The last used token while another request with it is still being answered: the client sent
    /// two at once and may keep either answer, so both stay open.
    Overlapping(Rotation),
    /// The last used token again, and what it brought was never used: its answer was lost. What it
    /// brought is revoked and given out anew.
    Retried(Rotation),
    /// A token that was superseded: two hold tokens of this session, and one of them stole it.
    Reused,
}

impl Rotation {
    /// A session with its first token.
    pub(crate) const FIRST: Self = Self { issued: 1, used: 0, open_from: 1 };

    /// Decides about the token `generation`, which is known to be genuine. `overlapping` says
    /// whether this request came before another one with the same token was answered.
    pub(crate) fn present(self, generation: u32, overlapping: bool) -> Presented {
        // A genuine token from beyond `issued` was given out before the database was restored from a
        // backup. It is the newest there is, so it is good.
        let issued = self.issued.max(generation);
        let next = issued.saturating_add(1);
        if generation >= self.open_from {
            return Presented::Rotated(Self { issued: next, used: generation, open_from: next });
        }
        if generation != self.used {
            return Presented::Reused;
        }
        if overlapping {
            Presented::Overlapping(Self { issued: next, ..self })
        } else {
            Presented::Retried(Self { issued: next, open_from: next, ..self })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A client that keeps what it was given, and what the server thinks.
    #[derive(Debug)]
    struct Session(Rotation);

    impl Session {
        fn new() -> Self {
            Self(Rotation::FIRST)
        }

        fn present(&mut self, generation: u32, overlapping: bool) -> Option<u32> {
            match self.0.present(generation, overlapping) {
                Presented::Rotated(next) | Presented::Overlapping(next) | Presented::Retried(next) => {
                    self.0 = next;
                    Some(next.issued)
                }
                Presented::Reused => None,
            }
        }
    }

    #[test]
    fn idea_1_a_lost_answer_is_a_retry_and_its_unused_pair_is_revoked() {
        let mut session = Session::new();
        let lost = session.present(1, false).unwrap();
        assert!(matches!(session.0.present(1, false), Presented::Retried(_)));
        let kept = session.present(1, false).unwrap();
        assert_eq!(session.0.present(lost, false), Presented::Reused);
        assert!(session.present(kept, false).is_some());
    }

    #[test]
    fn idea_1_a_token_whose_successor_was_used_is_theft() {
        let mut session = Session::new();
        let second = session.present(1, false).unwrap();
        session.present(second, false).unwrap();
        assert_eq!(session.0.present(1, false), Presented::Reused);
        assert_eq!(session.0.present(1, true), Presented::Reused);
    }

    #[test]
    fn two_at_once_may_keep_either_answer_and_the_first_use_closes_the_other() {
        for keep_first in [true, false] {
            let mut session = Session::new();
            let first = session.present(1, false).unwrap();
            let second = session.present(1, true).unwrap();
            let (kept, dropped) = if keep_first { (first, second) } else { (second, first) };
            assert!(session.present(kept, false).is_some());
            assert_eq!(session.0.present(dropped, false), Presented::Reused);
        }
    }

    #[test]
    fn idea_2_tokens_given_out_after_a_backup_was_taken_are_good_after_its_restore() {
        let restored = Rotation { issued: 5, used: 4, open_from: 5 };
        assert_eq!(
            restored.present(9, false),
            Presented::Rotated(Rotation { issued: 10, used: 9, open_from: 10 })
        );
    }

    proptest! {
        /// However often answers are lost, a client that presents the last token it received, or the
        /// one it presented before when nothing came back, is never taken for a thief.
        #[test]
        fn an_honest_client_is_never_locked_out(lost in proptest::collection::vec(any::<bool>(), 1..60)) {
            let mut session = Session::new();
            let mut held = 1;
            for lost in lost {
                let given = session.present(held, false);
                prop_assert!(given.is_some());
                if !lost {
                    held = given.unwrap();
                }
            }
        }

        /// When a copy of a token is used by two, in whatever order and whoever retries, the theft
        /// shows at the latest when both have presented what they hold twice.
        #[test]
        fn two_holders_are_found_out(turns in proptest::collection::vec(any::<bool>(), 0..40)) {
            let mut session = Session::new();
            let mut held = [1, 1];
            let mut seen = [0, 0];
            for thief in turns {
                let who = usize::from(thief);
                match session.present(held[who], false) {
                    Some(given) => held[who] = given,
                    None => return Ok(()),
                }
                seen[who] += 1;
                prop_assert!(seen.iter().any(|times| *times < 2), "both went on unnoticed");
            }
        }

        /// The open tokens always lie beyond the used one, so no token can be used twice for good.
        #[test]
        fn the_state_stays_sound(steps in proptest::collection::vec((0_u32..20, any::<bool>()), 0..60)) {
            let mut session = Session::new();
            for (generation, overlapping) in steps {
                session.present(generation, overlapping);
                let Rotation { issued, used, open_from } = session.0;
                prop_assert!(used < open_from && open_from <= issued);
            }
        }
    }
}
