//! The users of a Keycloak realm: a realm export, a file of users of a directory export, or several realms in
//! one file.

use std::collections::HashMap;
use std::io::BufRead;

use serde::Deserialize;

use super::json::{self, Shape};
use super::souk_json::{Person, text};
use super::{ImportPerson, Records};
use crate::import::Refusal;
use crate::import::record::{account_disabled, from_millis, since};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    id: Option<String>,
    username: Option<String>,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
    #[serde(default = "enabled")]
    enabled: bool,
    first_name: Option<String>,
    last_name: Option<String>,
    /// Milliseconds.
    created_timestamp: Option<i64>,
    #[serde(default)]
    credentials: Vec<Credential>,
    #[serde(default)]
    required_actions: Vec<String>,
    #[serde(default)]
    attributes: HashMap<String, Vec<String>>,
    service_account_client_id: Option<String>,
}

const fn enabled() -> bool {
    true
}

/// The two members with JSON in them are text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    #[serde(rename = "type")]
    kind: String,
    secret_data: Option<String>,
    credential_data: Option<String>,
    /// A password in clear text, which only stands in files that somebody wrote by hand.
    value: Option<String>,
}

#[derive(Deserialize)]
struct SecretData {
    value: String,
    #[serde(default)]
    salt: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CredentialData {
    algorithm: String,
    #[serde(default)]
    hash_iterations: i64,
    #[serde(default)]
    additional_parameters: HashMap<String, Vec<String>>,
}

/// People, with their passwords' hashes. Second factors, roles and groups stay behind.
pub(super) fn people(reader: impl BufRead + Send + 'static) -> Records<ImportPerson> {
    let name = |value: &serde_json::Value| match text(value, "id") {
        id if id.is_empty() => text(value, "username"),
        id => id,
    };
    json::shaped(Shape::Within("users"), reader, name, convert)
}

fn convert(user: User) -> Result<ImportPerson, Refusal> {
    if user.service_account_client_id.is_some() {
        let detail = "this is the account of a client, not of a person";
        return Err(Refusal::new("import.not_a_person", Some("serviceAccountClientId"), detail));
    }
    if !user.enabled {
        return Err(account_disabled("enabled"));
    }
    let attribute = |name: &str| user.attributes.get(name).and_then(|values| values.first()).cloned();
    let person = Person {
        external_id: user.id.or(user.username).ok_or_else(|| Refusal::missing("id"))?,
        email: user.email.filter(|email| !email.is_empty()).ok_or_else(|| Refusal::missing("email"))?,
        verified: user.email_verified,
        // Somebody who has to choose a new password has one that others know.
        password_hash: match user.required_actions.iter().any(|action| action == "UPDATE_PASSWORD") {
            true => None,
            false => password(&user.credentials)?,
        },
        name: joined(user.first_name, user.last_name),
        phone: attribute("phoneNumber"),
        locale: attribute("locale"),
        addresses: Vec::new(),
        consents: Vec::new(),
        created_at: since("createdTimestamp", user.created_timestamp.and_then(from_millis))?,
    };
    Ok(person.into_import())
}

/// First and last name as one.
pub(super) fn joined(first: Option<String>, last: Option<String>) -> Option<String> {
    let parts: Vec<String> =
        [first, last].into_iter().flatten().filter(|part| !part.trim().is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn password(credentials: &[Credential]) -> Result<Option<String>, Refusal> {
    let Some(credential) = credentials.iter().find(|credential| credential.kind == "password") else {
        return Ok(None);
    };
    if credential.value.is_some() {
        let detail = "the password stands in clear text; a realm export of Keycloak has its hash";
        return Err(Refusal::new("import.password_in_clear", Some("credentials"), detail));
    }
    let (Some(secret), Some(data)) = (&credential.secret_data, &credential.credential_data) else {
        return Err(Refusal::missing("credentials.secretData"));
    };
    let secret: SecretData = nested("credentials.secretData", secret)?;
    let data: CredentialData = nested("credentials.credentialData", data)?;
    Ok(Some(hash(&secret, &data)))
}

fn nested<T: serde::de::DeserializeOwned>(field: &str, text: &str) -> Result<T, Refusal> {
    // What serde says may repeat a secret, so it is not repeated here.
    let detail = format!("{field} is not what Keycloak writes there");
    serde_json::from_str(text).map_err(|_| Refusal::new("import.invalid", Some(field), detail))
}

/// The hash as a PHC string. One of an algorithm that Keycloak does not bring along is handed on as it is.
fn hash(secret: &SecretData, data: &CredentialData) -> String {
    let bare = |text: &str| text.trim_end_matches('=').to_owned();
    let (salt, value, iterations) = (bare(&secret.salt), bare(&secret.value), data.hash_iterations);
    let parameter = |name: &str| {
        data.additional_parameters.get(name).and_then(|values| values.first()).map_or("", String::as_str)
    };
    match data.algorithm.as_str() {
        "pbkdf2" => format!("$pbkdf2-sha1$i={iterations}${salt}${value}"),
        "pbkdf2-sha256" | "pbkdf2-sha512" => format!("${}$i={iterations}${salt}${value}", data.algorithm),
        "argon2" => {
            let version = if parameter("version") == "1.0" { 16 } else { 19 };
            let (kind, memory, lanes) = (parameter("type"), parameter("memory"), parameter("parallelism"));
            format!("$argon2{kind}$v={version}$m={memory},t={iterations},p={lanes}${salt}${value}")
        }
        _ => secret.value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::customer_id;

    /// Written as Keycloak 26 writes it: nested JSON as text, parameters as lists.
    const REALM: &str = r#"{
      "id": "souk", "realm": "souk", "roles": {"realm": [{"name": "user"}]},
      "users": [
        {"id": "0c8d4ea2-6c3c-4d3f-8d22-6f2f8f9b4d11", "username": "ada", "firstName": "Ada", "lastName": "Lovelace",
         "email": "ada@example.com", "emailVerified": true, "enabled": true, "createdTimestamp": 1600000000000,
         "attributes": {"locale": ["en"], "phoneNumber": ["+441632960001"]}, "totp": false,
         "credentials": [
           {"id": "1", "type": "otp", "createdDate": 1600000000000, "secretData": "{\"value\":\"x\"}",
            "credentialData": "{\"subType\":\"totp\"}"},
           {"id": "2", "type": "password", "createdDate": 1600000000000,
            "secretData": "{\"value\":\"lzUX3gAG3P+K0KPzRntbSQ==\",\"salt\":\"AQIDBAUGBwgJCgsMDQ4PEA==\",\"additionalParameters\":{}}",
            "credentialData": "{\"hashIterations\":27500,\"algorithm\":\"pbkdf2-sha256\",\"additionalParameters\":{}}"}],
         "requiredActions": [], "realmRoles": ["user"], "notBefore": 0, "groups": []},
        {"id": "2", "username": "bea", "email": "bea@example.com", "enabled": true, "createdTimestamp": 1600000000000,
         "credentials": [{"type": "password",
            "secretData": "{\"value\":\"AAAAAAAAAAAAAAAAAAAAAA==\",\"salt\":\"AQIDBAUGBwgJCgsMDQ4PEA==\"}",
            "credentialData": "{\"hashIterations\":5,\"algorithm\":\"argon2\",\"additionalParameters\":{\"hashLength\":[\"32\"],\"memory\":[\"7168\"],\"type\":[\"id\"],\"version\":[\"1.3\"],\"parallelism\":[\"1\"]}}"}]},
        {"id": "3", "email": "cleo@example.com", "enabled": false, "createdTimestamp": 1600000000000},
        {"id": "4", "username": "nobody", "enabled": true, "createdTimestamp": 1600000000000, "credentials": []},
        {"id": "5", "email": "dan@example.com", "emailVerified": true, "federationLink": "ldap", "createdTimestamp": 1},
        {"id": "6", "email": "eve@example.com", "createdTimestamp": 1, "requiredActions": ["UPDATE_PASSWORD"],
         "credentials": [{"type": "password", "value": "eve"}]},
        {"id": "7", "email": "fay@example.com", "createdTimestamp": 1, "credentials": [{"type": "password", "value": "fay"}]},
        {"id": "8", "email": "gil@example.com", "createdTimestamp": 1,
         "credentials": [{"type": "password", "secretData": "hunter2", "credentialData": "{}"}]},
        {"id": "9", "username": "service-account-x", "serviceAccountClientId": "x", "enabled": true},
        {"id": "10", "email": "hal@example.com"}
      ],
      "clients": [{"clientId": "x"}]}"#;

    #[test]
    fn a_realm_becomes_people_with_their_hashes() {
        let read: Vec<_> = people(REALM.as_bytes()).collect();
        let codes: Vec<&str> = read
            .iter()
            .map(|record| record.content.as_ref().map_or_else(|refusal| refusal.code.as_str(), |_| "read"))
            .collect();
        assert_eq!(
            codes,
            [
                "read",
                "read",
                "import.account_disabled",
                "import.missing",
                "read",
                "read",
                "import.password_in_clear",
                "import.invalid",
                "import.not_a_person",
                "import.missing",
            ]
        );
        assert_eq!((read[3].place.as_str(), read[3].name.as_str()), ("record 4", "4"));
        let secret = read[7].content.as_ref().unwrap_err();
        assert!(!secret.detail.contains("hunter2"), "{secret:?}");
        let person = |index: usize| read[index].content.as_ref().unwrap();
        let ada = person(0);
        assert_eq!(ada.account.customer_id, customer_id("0c8d4ea2-6c3c-4d3f-8d22-6f2f8f9b4d11"));
        assert!(ada.account.verified && !person(1).account.verified);
        assert_eq!(ada.account.created_at.to_string(), "2020-09-13T12:26:40.000000Z");
        assert_eq!(ada.customer.name.as_deref(), Some("Ada Lovelace"));
        assert_eq!(ada.customer.phone.as_deref(), Some("+441632960001"));
        let hash = |index: usize| person(index).account.password_hash.as_deref();
        assert_eq!(hash(0), Some("$pbkdf2-sha256$i=27500$AQIDBAUGBwgJCgsMDQ4PEA$lzUX3gAG3P+K0KPzRntbSQ"));
        let argon2 = "$argon2id$v=19$m=7168,t=5,p=1$AQIDBAUGBwgJCgsMDQ4PEA$AAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(hash(1), Some(argon2));
        assert_eq!((hash(4), hash(5)), (None, None), "from elsewhere, and to be chosen anew");
    }

    #[test]
    fn realms_in_one_file_are_read_one_after_the_other() {
        let text = r#"[{"realm": "a", "users": [{"id": "1", "email": "a@example.com", "createdTimestamp": 1}]},
            {"realm": "b"}, {"realm": "c", "users": [{"id": "2", "email": "b@example.com", "createdTimestamp": 1}]}]"#;
        assert_eq!(people(text.as_bytes()).filter(|record| record.content.is_ok()).count(), 2);
    }
}
