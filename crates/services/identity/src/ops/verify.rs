use contracts::Sealed;
use contracts::identity::{AccountVerified, EMAIL_CONTEXT, NAME_CONTEXT};
use database::Tx;
use mail::Address;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::context::{Client, Context, NOBODY};
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::{Action, Outcome, Reason};
use crate::model::code::{Code, MAX_TRIES};
use crate::model::session::Method;
use crate::model::token::LinkToken;
use crate::store::accounts::{self, Account};
use crate::store::audit;
use crate::store::recoveries;
use crate::store::sessions::Session;
use crate::store::signups::{self, SignUp};
use crate::tokens::Tokens;

use super::end_sessions::Ended;
use super::record::Attempt;

/// The vault context under which the contacts of sign-ups are sealed.
pub(crate) const CONTACT_CONTEXT: &str = "identity.signup";

/// Who signed up, before anybody knows whether it is true.
#[derive(Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) address: Address,
    pub(crate) name: Option<String>,
}

/// How an address is proved.
pub(crate) enum Proof {
    /// By the token of the mail's link.
    Link(String),
    /// By the mail's code.
    Code {
        /// The address that the mail went to.
        address: Address,
        /// What was typed.
        code: String,
    },
}

impl Context {
    /// Opens the account of whoever holds the mail, and begins a session.
    ///
    /// The password that counts is the one of the request that this mail answers, so nobody can
    /// prepare an account for somebody else's address and wait for them to prove it.
    pub(crate) async fn verify(&self, proof: Proof, client: &Client) -> Result<Tokens, Error> {
        let nobody = Attempt::by_nobody(Action::Verify, client);
        let (found, attempt) = match proof {
            Proof::Link(token) => {
                let attempt = nobody.by("link");
                self.hold_back(attempt, [self.source_limit(client)]).await?;
                (self.by_link(&token, attempt).await?, attempt)
            }
            Proof::Code { address, code } => {
                let (index, attempt) = (self.address_index(&address), nobody.by("code"));
                let limits = [self.account_limit(&index, client).await, self.source_limit(client)];
                self.hold_back(attempt, limits).await?;
                (self.by_code(&index, &code, attempt).await?, attempt)
            }
        };
        let signup = found.ok_or(Error::CodeInvalid)?;
        match self.open_account(&signup, attempt).await? {
            Some((account, session, ended)) => {
                self.announce(ended).await;
                self.issuer.issue(&account, &session).await
            }
            None => {
                self.record(attempt, Outcome::Refused, Some(Reason::BadCode)).await?;
                Err(Error::CodeInvalid)
            }
        }
    }

    /// The sign-up whose link this is.
    async fn by_link(&self, token: &str, attempt: Attempt<'_>) -> Result<Option<SignUp>, Error> {
        let hash = LinkToken::hash(token);
        let mut reader = self.database.read_primary().await?;
        let found = signups::by_token(&mut reader, &hash, self.now()).await?;
        drop(reader);
        if found.is_none() {
            self.record(attempt, Outcome::Refused, Some(Reason::BadCode)).await?;
        }
        Ok(found)
    }

    /// The sign-up whose code this is. A wrong code counts against every code of the address, in
    /// the transaction that looked at them, so that guessing in parallel wins nothing; and it is
    /// written down in the same one, so that an address without sign-ups takes no less time.
    async fn by_code(
        &self,
        address_index: &[u8; 32],
        code: &str,
        attempt: Attempt<'_>,
    ) -> Result<Option<SignUp>, Error> {
        let refusal = &self.entry(attempt, Outcome::Refused, Some(Reason::BadCode)).await?;
        let (now, code) = (self.now(), &Code::parse(code));
        self.database
            .write(|mut tx| async move {
                let alive = signups::alive(&mut tx, address_index, now).await?;
                let open = |signup: &SignUp| signup.code_expires_at > now && signup.tries < MAX_TRIES;
                let is_it = |signup: &SignUp| {
                    let hash = code.as_ref().map(|code| code.hash(&self.code_key, signup.id));
                    hash.is_some_and(|hash| hash.ct_eq(&signup.code_hash).into())
                };
                if let Some(signup) = alive.into_iter().filter(open).find(is_it) {
                    return tx.rollback(Some(signup)).await;
                }
                signups::count_try(&mut tx, address_index, now).await?;
                audit::append(&mut tx, refusal).await?;
                tx.commit(None).await
            })
            .await
            .map_err(|error: database::Error| error.into())
    }

    /// `None` when the sign-up was used up meanwhile.
    async fn open_account(
        &self,
        signup: &SignUp,
        attempt: Attempt<'_>,
    ) -> Result<Option<(Account, Session, Ended)>, Error> {
        let contact: Option<Contact> = self.vault.open_json(NOBODY, CONTACT_CONTEXT, &signup.contact).await?;
        let Some(contact) = contact else { return Ok(None) };
        let subject = Subject::Customer(signup.customer);
        let (person, now) = (subject.uuid(), self.now());
        let email = self.vault.seal(person, EMAIL_CONTEXT, contact.address.as_str().as_bytes()).await?;
        let name = match &contact.name {
            Some(name) => Some(Sealed(self.vault.seal(person, NAME_CONTEXT, name.as_bytes()).await?)),
            None => None,
        };
        let event = &AccountVerified { customer_id: signup.customer, email: Sealed(email.clone()), name };
        let session = &self.new_session(subject, Method::Verification, attempt.client).await?;
        let attempt = Attempt { account: Some(subject), ..attempt };
        let mut entry = self.entry(attempt, Outcome::Succeeded, None).await?;
        entry.session = Some(session.id);
        let mut account = Account::new(subject, signup.address_index, email, now);
        account.verified_at = Some(now);
        account.password_hash = signup.password_hash.clone();
        account.password_set_at = account.password_hash.as_ref().map(|_| now);
        let (account, entry) = (&account, &entry);
        let ended = self
            .database
            .write(|mut tx| async move {
                if !signups::delete(&mut tx, signup.id).await? || !put(&mut tx, account).await? {
                    return Ok(tx.rollback(None).await?);
                }
                signups::delete_of_address(&mut tx, &signup.address_index).await?;
                recoveries::delete_of_account(&mut tx, person).await?;
                tx.emit(event).await?;
                let ended = self.open_session(&mut tx, subject, session).await?;
                audit::append(&mut tx, entry).await?;
                Ok::<_, Error>(tx.commit(Some(ended)).await?)
            })
            .await?;
        Ok(ended.map(|ended| (account.clone(), session.clone(), ended)))
    }
}

/// Makes the account, or proves one that was brought from elsewhere; `false` when somebody was
/// faster.
async fn put(tx: &mut Tx, account: &Account) -> Result<bool, database::Error> {
    let person = account.subject.uuid();
    match accounts::by_address(tx, &account.address_index).await? {
        None => accounts::insert(tx, account).await?,
        Some(known) if known.subject == account.subject && known.verified_at.is_none() => {
            let now = account.created_at;
            accounts::verify(tx, person, now).await?;
            accounts::set_password(tx, person, account.password_hash.as_deref(), now).await?;
        }
        Some(_) => return Ok(false),
    }
    Ok(true)
}
