//! What follows from a note. Each one runs in one transaction with the end of its due item, so that
//! it has its effect once, however often it is tried.

use std::time::Duration;

use cache::Policy;
use database::{BoxError, Due, DueItem, Next, Tx};
use kernel::CustomerId;
use mail::Address;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::context::{Context, NOBODY};
use crate::error::Error;
use crate::model::account::Subject;
use crate::model::audit::{Action, Entry, Outcome, Reason};
use crate::model::code::Code;
use crate::model::token::LinkToken;
use crate::ops::leave_note::{Note, Request};
use crate::ops::record::Attempt;
use crate::ops::send_mail::Mail;
use crate::ops::verify::{CONTACT_CONTEXT, Contact};
use crate::store::accounts::{self, Account};
use crate::store::signups::{self, SignUp};
use crate::store::{audit, recoveries};

/// How often a person is told that somebody wanted to sign up with their address.
const NOTICE_EVERY: Duration = Duration::from_secs(3_600);

/// A verification mail and what is stored of it, without what only the transaction can know.
struct Verification {
    signup: SignUp,
    mail: Due,
}

impl Context {
    /// Works on one note.
    pub(crate) async fn answer_note(&self, item: DueItem) -> Result<Next, BoxError> {
        let Some(note) = self.read_note(&item).await? else { return Ok(Next::Done) };
        let index = self.address_index(&note.address);
        let account = accounts::by_address(&mut *self.database.read_primary().await?, &index).await?;
        match (&note.request, account) {
            (Request::SignUp { .. }, Some(account)) if account.verified_at.is_some() => {
                self.tell_registered(&item, &note, &account).await?;
            }
            (Request::SignUp { name, password_hash }, account) => {
                let contact = Contact { address: note.address.clone(), name: name.clone() };
                let password = Some(password_hash.clone());
                let verification = self.verification(contact, password, false).await?;
                let entry = self.note_entry(&note, Action::SignUp, account.as_ref(), None).await?;
                self.send_verification(&item, verification, &entry, Duration::ZERO).await?;
            }
            (Request::Resend, account) => self.resend_verification(&item, &note, account).await?,
            (Request::Recover, account) => self.send_recovery(&item, &note, account).await?,
            (Request::RefusedSignIn { reason, password_hash }, account) => {
                let password = password_hash.clone();
                self.answer_refused(&item, &note, account, (*reason, password)).await?;
            }
        }
        Ok(Next::Done)
    }

    async fn note_entry(
        &self,
        note: &Note,
        action: Action,
        account: Option<&Account>,
        reason: Option<Reason>,
    ) -> Result<Entry, Error> {
        let client = note.client();
        let attempt = Attempt {
            account: account.map(|account| account.subject),
            address_index: Some(self.address_index(&note.address)),
            ..Attempt::by_nobody(action, &client)
        };
        self.entry(attempt, Outcome::Accepted, reason).await
    }

    /// Writes the entry down, sends the mail if there is one, and is done with the note.
    async fn close(&self, item: &DueItem, entry: &Entry, mail: Option<&Due>) -> Result<(), Error> {
        self.database
            .write(|mut tx| async move {
                audit::append(&mut tx, entry).await?;
                if let Some(mail) = mail {
                    tx.schedule(mail).await?;
                }
                finish(tx, item).await
            })
            .await
            .map_err(|error: database::Error| error.into())
    }

    async fn tell_registered(&self, item: &DueItem, note: &Note, account: &Account) -> Result<(), Error> {
        let reason = Some(Reason::AlreadyRegistered);
        let entry = self.note_entry(note, Action::SignUp, Some(account), reason).await?;
        let policy = Policy::new("identity.notices", 1, NOTICE_EVERY);
        let person = account.subject.uuid();
        let mail = if self.cache.take(&person.to_string(), &policy, 1).await?.allowed {
            let values = json!({ "signin_url": self.page(&self.config.links.signin_path) });
            self.notice("already_registered", person, &account.address, values).await?
        } else {
            None
        };
        self.close(item, &entry, mail.as_ref()).await
    }

    /// A verification mail with its own link and code. `choose_later`: whoever proves the address
    /// has to set a password afterwards.
    async fn verification(
        &self,
        contact: Contact,
        password_hash: Option<String>,
        choose_later: bool,
    ) -> Result<Verification, Error> {
        let (now, links) = (self.now(), &self.config.links);
        let (token, code) = (LinkToken::new(&self.rng), Code::new(&self.rng));
        let id = self.rng.uuid_v7(now);
        let values = json!({
            "url": self.link(&links.verify_path, token.expose()),
            "code": code.expose(),
            "minutes": links.code_s / 60,
            "hours": links.verify_s / 3_600,
            "name": contact.name,
            "choose_later": choose_later,
        });
        let mail = self.mail(NOBODY, &Mail::new("verify_email", contact.address.clone(), values)).await?;
        let signup = SignUp {
            id,
            // The transaction knows whether the address has an id already.
            customer: CustomerId::new(now, &self.rng),
            address_index: self.address_index(&contact.address),
            contact: self.vault.seal_json(NOBODY, CONTACT_CONTEXT, &contact).await?,
            password_hash,
            token_hash: LinkToken::hash(token.expose()),
            code_hash: code.hash(&self.code_key, id),
            tries: 0,
            created_at: now,
            code_expires_at: now.plus(Duration::from_secs(links.code_s)),
            expires_at: now.plus(Duration::from_secs(links.verify_s)),
        };
        Ok(Verification { signup, mail })
    }

    /// Sends the mail unless so many are alive that another would be a nuisance, or the last one
    /// is younger than `pause`.
    async fn send_verification(
        &self,
        item: &DueItem,
        Verification { signup, mail }: Verification,
        entry: &Entry,
        pause: Duration,
    ) -> Result<(), Error> {
        let (signup, mail) = (&signup, &mail);
        self.database
            .write(|mut tx| async move {
                let (now, mut entry) = (signup.created_at, entry.clone());
                let alive = signups::alive(&mut tx, &signup.address_index, now).await?;
                let account = accounts::by_address(&mut tx, &signup.address_index).await?;
                let recent = alive.first().is_some_and(|newest| newest.created_at.plus(pause) > now);
                let known = account.as_ref().map(|account| (account.subject, account.verified_at.is_some()));
                let customer = match known {
                    Some((Subject::Customer(customer), false)) => Some(customer),
                    // Proved while this note waited, or not a customer: nothing to prove.
                    Some(_) => None,
                    None => Some(alive.first().map_or(signup.customer, |earlier| earlier.customer)),
                };
                // Only those of the last half hour or so count: an attacker must not be able to keep a
                // person from ever getting a mail of their own.
                let fresh = alive.iter().filter(|earlier| earlier.code_expires_at > now).count();
                let room = fresh < self.config.links.alive as usize && !recent;
                match customer {
                    Some(customer) if room => {
                        signups::insert(&mut tx, &SignUp { customer, ..signup.clone() }).await?;
                        tx.schedule(mail).await?;
                    }
                    Some(_) => entry.reason = entry.reason.or(Some(Reason::TooManyMails)),
                    None => entry.reason = entry.reason.or(Some(Reason::AlreadyRegistered)),
                }
                audit::append(&mut tx, &entry).await?;
                finish(tx, item).await
            })
            .await
            .map_err(|error: database::Error| error.into())
    }

    /// Sends the mail of a sign-up again. When there were several with different passwords, nobody
    /// can tell whose wish this is: the address is then proved without a password, and whoever
    /// reads the mail sets one.
    async fn resend_verification(
        &self,
        item: &DueItem,
        note: &Note,
        account: Option<Account>,
    ) -> Result<(), Error> {
        let index = self.address_index(&note.address);
        let alive = signups::alive(&mut *self.database.read_primary().await?, &index, self.now()).await?;
        let unproved = account.as_ref().is_some_and(|account| account.verified_at.is_none());
        let entry = self.note_entry(note, Action::Resend, account.as_ref(), None).await?;
        let Some((contact, password)) = self.pending(note, &alive, unproved).await? else {
            let reason = Some(account.map_or(Reason::UnknownAddress, |_| Reason::AlreadyRegistered));
            return self.close(item, &Entry { reason, ..entry }, None).await;
        };
        let choose_later = password.is_none();
        let verification = self.verification(contact, password, choose_later).await?;
        self.send_verification(item, verification, &entry, Duration::ZERO).await
    }

    /// The contact and the password of the sign-ups that are alive, if there are any.
    async fn pending(
        &self,
        note: &Note,
        alive: &[SignUp],
        unproved: bool,
    ) -> Result<Option<(Contact, Option<String>)>, Error> {
        let Some(newest) = alive.first() else {
            let contact = Contact { address: note.address.clone(), name: None };
            return Ok(unproved.then_some((contact, None)));
        };
        if alive.iter().any(|signup| signup.password_hash != newest.password_hash) {
            return Ok(Some((Contact { address: note.address.clone(), name: None }, None)));
        }
        let contact: Option<Contact> = self.vault.open_json(NOBODY, CONTACT_CONTEXT, &newest.contact).await?;
        Ok(contact.map(|contact| (contact, newest.password_hash.clone())))
    }

    /// Somebody may have signed up and tries to sign in before proving the address: they get the
    /// mail again, for the password that they typed.
    async fn answer_refused(
        &self,
        item: &DueItem,
        note: &Note,
        account: Option<Account>,
        (reason, password_hash): (Reason, Option<String>),
    ) -> Result<(), Error> {
        let mut entry = self.note_entry(note, Action::SignIn, account.as_ref(), Some(reason)).await?;
        (entry.outcome, entry.method) = (Outcome::Refused, Some("password"));
        let index = self.address_index(&note.address);
        let alive = signups::alive(&mut *self.database.read_primary().await?, &index, self.now()).await?;
        let unproved = account.as_ref().is_some_and(|account| account.verified_at.is_none());
        let pending = self.pending(note, &alive, unproved).await?;
        if pending.is_some() {
            entry.reason = Some(Reason::Unverified);
        }
        match (pending, password_hash) {
            (Some((contact, _)), Some(password)) => {
                let verification = self.verification(contact, Some(password), false).await?;
                let pause = Duration::from_secs(self.config.links.reminder_s);
                self.send_verification(item, verification, &entry, pause).await
            }
            _ => self.close(item, &entry, None).await,
        }
    }

    async fn send_recovery(
        &self,
        item: &DueItem,
        note: &Note,
        account: Option<Account>,
    ) -> Result<(), Error> {
        let entry = self.note_entry(note, Action::Recover, account.as_ref(), None).await?;
        let Some(account) = account else {
            let reason = Some(Reason::UnknownAddress);
            return self.close(item, &Entry { reason, ..entry }, None).await;
        };
        let links = &self.config.links;
        let values = json!({ "minutes": links.recover_s / 60 });
        let lifetime = Duration::from_secs(links.recover_s);
        let Some((token_hash, mail)) = self.recovery(&account, "recover", values).await? else {
            return self.close(item, &entry, None).await;
        };
        let (person, mail, entry) = (account.subject.uuid(), &mail, &entry);
        self.database
            .write(|mut tx| async move {
                let (now, mut entry) = (self.now(), entry.clone());
                if recoveries::count_alive(&mut tx, person, now).await? < links.alive {
                    recoveries::insert(&mut tx, &token_hash, person, now, now.plus(lifetime)).await?;
                    tx.schedule(mail).await?;
                } else {
                    entry.reason = Some(Reason::TooManyMails);
                }
                audit::append(&mut tx, &entry).await?;
                finish(tx, item).await
            })
            .await
            .map_err(|error: database::Error| error.into())
    }

    /// A mail with a link that sets a password, and the hash of its token; `None` when the person
    /// was erased.
    pub(crate) async fn recovery(
        &self,
        account: &Account,
        template: &str,
        mut values: Value,
    ) -> Result<Option<([u8; 32], Due)>, Error> {
        let person: Uuid = account.subject.uuid();
        let to: Option<Address> = self.open_address(person, &account.address).await?;
        let Some(to) = to else { return Ok(None) };
        let token = LinkToken::new(&self.rng);
        values["url"] = json!(self.link(&self.config.links.recover_path, token.expose()));
        let mail = self.mail(person, &Mail::new(template, to, values)).await?;
        Ok(Some((LinkToken::hash(token.expose()), mail)))
    }
}

/// Commits what the note came to together with its end; when somebody else has taken the note over,
/// nothing.
async fn finish(mut tx: Tx, item: &DueItem) -> Result<database::Done<()>, database::Error> {
    if tx.complete(item).await? { tx.commit(()).await } else { tx.rollback(()).await }
}
