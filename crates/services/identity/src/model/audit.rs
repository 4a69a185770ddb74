use hmac::Mac as _;
use kernel::{Secret, SessionId, Timestamp};
use uuid::Uuid;

use super::account::Subject;
use super::mac::keyed;
use super::words::words;

kernel::typed_id!(/** An entry of the audit log. */ AuditId, "aud");
database::id_values!(AuditId);

words! {
    /// What somebody tried to do.
    Action {
        /// Open an account.
        SignUp = "sign_up",
        /// Prove that an address is theirs.
        Verify = "verify",
        /// Be sent the proof again.
        Resend = "resend",
        /// Begin a session.
        SignIn = "sign_in",
        /// Go on with a session.
        Refresh = "refresh",
        /// End the session they are in.
        SignOut = "sign_out",
        /// End another of their sessions.
        EndSession = "end_session",
        /// End all their sessions but the one they are in.
        EndOtherSessions = "end_other_sessions",
        /// Be helped after forgetting their password.
        Recover = "recover",
        /// Set a new password with that help.
        CompleteRecovery = "complete_recovery",
        /// Change their password.
        ChangePassword = "change_password",
        /// Be made staff.
        AddStaff = "add_staff",
        /// Be forgotten.
        Erase = "erase",
    }
}

words! {
    /// How it ended.
    Outcome {
        /// It was done.
        Succeeded = "succeeded",
        /// It was taken down to be looked at; the caller learns nothing of what came of it.
        Accepted = "accepted",
        /// It was refused.
        Refused = "refused",
        /// It was not looked at, for there had been too many.
        Throttled = "throttled",
        /// It was not looked at, for there was too much to do.
        Overloaded = "overloaded",
    }
}

words! {
    /// Why it ended so, where that is not plain.
    Reason {
        /// No account has this address.
        UnknownAddress = "unknown_address",
        /// The account's address was never proved.
        Unverified = "unverified",
        /// The account has no password.
        NoPassword = "no_password",
        /// The password is another.
        WrongPassword = "wrong_password",
        /// The account already exists.
        AlreadyRegistered = "already_registered",
        /// So many mails were sent that another would be a nuisance.
        TooManyMails = "too_many_mails",
        /// The code or link is unknown, used, or too old, or was typed wrongly too often.
        BadCode = "bad_code",
        /// The token is none of ours, or its session is over.
        BadToken = "bad_token",
        /// The token's answer had been lost, and it was given out anew.
        AnswerLost = "answer_lost",
        /// The token had been superseded: two held it.
        TokenReused = "token_reused",
        /// There is no such session of this person.
        UnknownSession = "unknown_session",
        /// The new password would not protect them.
        WeakPassword = "weak_password",
    }
}

/// One attempt, as the log keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Names it; sorts by time.
    pub(crate) id: AuditId,
    /// When.
    pub(crate) at: Timestamp,
    /// What was tried.
    pub(crate) action: Action,
    /// How it ended.
    pub(crate) outcome: Outcome,
    /// Why.
    pub(crate) reason: Option<Reason>,
    /// How they proved who they are: `password`, `link`, `code`, `refresh_token`, `access_token`.
    pub(crate) method: Option<&'static str>,
    /// Whose account, when it is known.
    pub(crate) account: Option<Subject>,
    /// The keyed blind index of the address that was named, when no account is known.
    pub(crate) address_index: Option<[u8; 32]>,
    /// The session, when there is one.
    pub(crate) session: Option<SessionId>,
    /// The [`super::session::Device`], sealed: under the person's key, or under the log's own when
    /// nobody is known.
    pub(crate) device: Vec<u8>,
    /// The request, as in the answer and the logs.
    pub(crate) request_id: String,
}

/// The hash that stands for an entry and for all that came before it (a keyed hash chain).
///
/// The key lies in the vault, so who can write to the database cannot mend the chain. The address
/// index is left out: it is the one part that erasure must be able to take away.
pub(crate) fn link(key: &Secret<[u8; 32]>, previous: &[u8], entry: &ChainedEntry) -> [u8; 32] {
    let mut mac = keyed(key);
    let mut field = |bytes: &[u8]| {
        // Each field is led by its length, so that no two entries read the same.
        mac.update(&(bytes.len() as u64).to_be_bytes());
        mac.update(bytes);
    };
    field(previous);
    field(entry.id.uuid().as_bytes());
    field(&entry.at.as_micros().to_be_bytes());
    let ChainedEntry { action, outcome, reason, method, request_id, account, .. } = entry;
    for word in [action, outcome, reason, method, request_id, account] {
        field(word.as_bytes());
    }
    field(entry.session.as_ref().map_or(&[], |id| id.as_bytes().as_slice()));
    field(&entry.device);
    mac.finalize().into_bytes().into()
}

/// The parts of a stored entry that its hash stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChainedEntry {
    /// See [`Entry`].
    pub(crate) id: AuditId,
    /// See [`Entry`].
    pub(crate) at: Timestamp,
    /// See [`Entry`].
    pub(crate) action: String,
    /// See [`Entry`].
    pub(crate) outcome: String,
    /// Empty when there is none.
    pub(crate) reason: String,
    /// Empty when there is none.
    pub(crate) method: String,
    /// See [`Entry`].
    pub(crate) request_id: String,
    /// Empty when nobody is known.
    pub(crate) account: String,
    /// See [`Entry`].
    pub(crate) session: Option<Uuid>,
    /// See [`Entry`].
    pub(crate) device: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Secret<[u8; 32]> = Secret::new([7; 32]);

    fn entry() -> ChainedEntry {
        ChainedEntry {
            id: AuditId::from_uuid(Uuid::from_u128(1)),
            at: Timestamp::from_seconds(1),
            action: "sign_in".into(),
            outcome: "refused".into(),
            reason: "wrong_password".into(),
            method: "password".into(),
            request_id: "req_1".into(),
            account: "cus_1".into(),
            session: None,
            device: vec![1, 2, 3],
        }
    }

    #[test]
    fn every_part_of_an_entry_and_all_before_it_are_in_its_hash() {
        let hash = link(&KEY, b"before", &entry());
        let changed: [fn(&mut ChainedEntry); 9] = [
            |e| e.id = AuditId::from_uuid(Uuid::from_u128(9)),
            |e| e.at = Timestamp::from_seconds(2),
            |e| e.action = "sign_up".into(),
            |e| e.outcome = "succeeded".into(),
            |e| e.reason = String::new(),
            |e| (e.reason, e.method) = ("wrong_passwordp".into(), "assword".into()),
            |e| e.account = "cus_2".into(),
            |e| e.session = Some(Uuid::from_u128(2)),
            |e| e.device = vec![1, 2],
        ];
        for (index, change) in changed.iter().enumerate() {
            let mut other = entry();
            change(&mut other);
            assert_ne!(link(&KEY, b"before", &other), hash, "change {index}");
        }
        assert_ne!(link(&KEY, b"other", &entry()), hash);
        assert_ne!(link(&Secret::new([8; 32]), b"before", &entry()), hash);
        assert_eq!(link(&KEY, b"before", &entry()), hash);
    }

    #[test]
    fn words_are_the_same_in_tables_and_json() {
        for outcome in
            [Outcome::Succeeded, Outcome::Accepted, Outcome::Refused, Outcome::Throttled, Outcome::Overloaded]
        {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
            assert_eq!(outcome.as_str().parse::<Outcome>().unwrap(), outcome);
        }
        assert_eq!(
            serde_json::to_value(Action::EndOtherSessions).unwrap(),
            Action::EndOtherSessions.as_str()
        );
        assert!("nonsense".parse::<Reason>().is_err());
    }
}
