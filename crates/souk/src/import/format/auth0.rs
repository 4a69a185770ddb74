//! Auth0's exports: that of the users (an array, or one a line), and that of the password hashes (one a line),
//! which its support makes.

use std::io::BufRead;

use kernel::Timestamp;
use serde::Deserialize;

use super::json::{self, Shape};
use super::keycloak::joined;
use super::souk_json::{Person, text};
use super::{ImportPerson, Records};
use crate::import::Refusal;
use crate::import::record::{account_disabled, moment, since};

#[derive(Deserialize)]
struct User {
    /// `auth0|` and the id, where it has no `_id`.
    user_id: Option<String>,
    #[serde(rename = "_id")]
    id: Option<ObjectId>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(rename = "passwordHash", alias = "password_hash")]
    password_hash: Option<String>,
    name: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    phone_number: Option<String>,
    created_at: Option<String>,
}

/// MongoDB's, as its export writes it. Its first four bytes are the second in which it was made.
#[derive(Deserialize)]
struct ObjectId {
    #[serde(rename = "$oid")]
    hex: String,
}

impl ObjectId {
    fn made_at(&self) -> Option<Timestamp> {
        let seconds = self.hex.get(..8)?;
        i64::from_str_radix(seconds, 16).ok().map(Timestamp::from_seconds)
    }
}

/// What the users of the database connection are called besides their id.
const DATABASE: &str = "auth0|";

/// People; those of the export of hashes with their passwords.
pub(super) fn people(reader: impl BufRead + Send + 'static) -> Records<ImportPerson> {
    let name = |value: &serde_json::Value| match value.get("_id") {
        Some(id) => format!("{DATABASE}{}", text(id, "$oid")),
        None => text(value, "user_id"),
    };
    json::shaped(Shape::Lines, reader, name, convert)
}

fn convert(user: User) -> Result<ImportPerson, Refusal> {
    if user.blocked {
        return Err(account_disabled("blocked"));
    }
    let email = user.email.filter(|email| !email.is_empty()).ok_or_else(|| Refusal::missing("email"))?;
    let created_at = match (&user.created_at, &user.id) {
        (Some(text), _) => Some(moment("created_at", text)?),
        (None, Some(id)) => id.made_at(),
        (None, None) => None,
    };
    let external_id = user.user_id.or_else(|| user.id.map(|id| format!("{DATABASE}{}", id.hex)));
    // Who gave no name is called by the address there.
    let name = user.name.filter(|name| *name != email);
    let person = Person {
        external_id: external_id.ok_or_else(|| Refusal::missing("user_id"))?,
        verified: user.email_verified,
        password_hash: user.password_hash,
        name: joined(user.given_name, user.family_name).or(name),
        phone: user.phone_number,
        locale: None,
        addresses: Vec::new(),
        consents: Vec::new(),
        created_at: since("created_at", created_at)?,
        email,
    };
    Ok(person.into_import())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASHES: &str = r#"{"_id":{"$oid":"5f5e10002b3c4d5e6f708173"},"email_verified":true,"email":"ada@example.com","passwordHash":"$2b$10$NRI4lGOi3Ea1Xx2jVqQrZeTLo58kl983dxn9udrBSI2StlWrdosgy","password_set_date":{"$date":"2020-09-13T12:26:40.775Z"},"tenant":"souk","connection":"Username-Password-Authentication","_tmp_is_unique":true}
{"_id":{"$oid":"5f5e10002b3c4d5e6f708174"},"email":
{"_id":{"$oid":"zz"},"email":"bea@example.com"}
{"_id":{"$oid":"5f5e10002b3c4d5e6f708176"},"email":"cleo@example.com","blocked":true}
"#;

    const USERS: &str = r#"[
      {"user_id": "auth0|5f5e10002b3c4d5e6f708173", "email": "ada@example.com", "email_verified": true,
       "name": "ada@example.com", "given_name": "Ada", "family_name": "Lovelace", "created_at": "2020-09-13T12:26:40.775Z",
       "identities": [{"connection": "Username-Password-Authentication", "provider": "auth0"}]},
      {"user_id": "google-oauth2|1", "email": "dan@example.com", "email_verified": true, "name": "Dan",
       "created_at": "2020-09-13T12:26:40.775Z"},
      {"email": "eve@example.com", "created_at": "2020-09-13T12:26:40.775Z"}]"#;

    #[test]
    fn hashes_are_read_line_by_line_and_a_broken_one_is_named() {
        let read: Vec<_> = people(HASHES.as_bytes()).collect();
        let refused: Vec<_> =
            read.iter().skip(1).map(|record| record.content.as_ref().unwrap_err().code.clone()).collect();
        assert_eq!(refused, ["import.unreadable", "import.missing", "import.account_disabled"]);
        assert_eq!((read[1].place.as_str(), read[3].place.as_str()), ("record 2", "record 4"));
        let ada = read[0].content.as_ref().unwrap();
        assert!(ada.account.verified && ada.account.password_hash.as_ref().unwrap().starts_with("$2b$10$"));
        assert_eq!(ada.account.created_at.to_string(), "2020-09-13T12:26:40.000000Z");
    }

    #[test]
    fn the_users_of_both_exports_are_the_same_people() {
        let hashes: Vec<_> = people(HASHES.as_bytes()).collect();
        let users: Vec<_> = people(USERS.as_bytes()).collect();
        let (one, other) = (hashes[0].content.as_ref().unwrap(), users[0].content.as_ref().unwrap());
        assert_eq!(one.account.customer_id, other.account.customer_id);
        assert_eq!((&hashes[0].name, one.customer.name.as_deref()), (&users[0].name, None));
        assert_eq!(other.customer.name.as_deref(), Some("Ada Lovelace"));
        let dan = users[1].content.as_ref().unwrap();
        assert_eq!((dan.customer.name.as_deref(), &dan.account.password_hash), (Some("Dan"), &None));
        assert_eq!(users[2].content.as_ref().unwrap_err().code, "import.missing");
    }
}
