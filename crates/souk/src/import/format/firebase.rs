//! What `firebase auth:export` writes, as JSON or as CSV.

use std::io::BufRead;
use std::path::Path;

use anyhow::{Context as _, bail};
use kernel::Secret;
use serde::Deserialize;

use super::json::{self, Shape};
use super::souk_json::{Person, text};
use super::{ImportPerson, Records};
use crate::import::record::{account_disabled, from_millis, since};
use crate::import::{Record, Refusal};

/// The parameters of a project's password hashes; its console shows them.
#[derive(Clone, Debug)]
pub(crate) struct HashConfig {
    /// 64 bytes as base64.
    pub(crate) signer_key: Secret<String>,
    /// Base64.
    pub(crate) salt_separator: String,
    pub(crate) rounds: u32,
    pub(crate) mem_cost: u32,
}

impl HashConfig {
    /// Reads a file with what the console shows: `hash_config { algorithm: SCRYPT, base64_signer_key: …, }`.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
        Self::parse(&text).with_context(|| format!("{shown} does not hold a project's hash parameters"))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let value = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(':'));
            let found = lines.find(|(known, _)| known.trim().trim_matches('"') == name);
            let value =
                found.map(|(_, value)| value.trim().trim_end_matches(',').trim_matches('"').to_owned());
            value.with_context(|| format!("there is no {name} in it"))
        };
        let number =
            |name: &str| value(name)?.parse().with_context(|| format!("{name} is not a whole number"));
        let algorithm = value("algorithm")?;
        if algorithm != "SCRYPT" {
            bail!("the algorithm is {algorithm}, and auth:export writes hashes of SCRYPT only");
        }
        Self {
            signer_key: Secret::new(value("base64_signer_key")?),
            salt_separator: value("base64_salt_separator")?,
            rounds: number("rounds")?,
            mem_cost: number("mem_cost")?,
        }
        .checked()
    }

    /// The same, when it can be a project's.
    pub(crate) fn checked(self) -> anyhow::Result<Self> {
        let is_base64 = |text: &str| {
            text.len().is_multiple_of(4)
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte))
        };
        let key = self.signer_key.expose();
        // 64 bytes are 86 letters and two signs.
        if key.len() != 88 || !key.ends_with("==") || !is_base64(key) {
            bail!("the signer key is not 64 bytes of base64");
        }
        if !is_base64(&self.salt_separator) || self.salt_separator.len() > 64 {
            bail!("the salt separator is not base64");
        }
        if !(1..=8).contains(&self.rounds) || !(1..=14).contains(&self.mem_cost) {
            bail!("rounds are 1 to 8 and the memory cost is 1 to 14");
        }
        Ok(self)
    }

    /// A row's hash together with what it was made with.
    fn hash(&self, hash: &str, salt: &str) -> String {
        let Self { signer_key, salt_separator, rounds, mem_cost } = self;
        let key = signer_key.expose();
        format!("$fbscrypt$v=1,n={mem_cost},r={rounds},p=1,ss={salt_separator},sk={key}${salt}${hash}")
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct User {
    local_id: String,
    email: String,
    email_verified: bool,
    password_hash: String,
    salt: String,
    display_name: String,
    /// Milliseconds, as text.
    created_at: String,
    phone_number: String,
    disabled: bool,
}

/// People of an export as JSON or CSV, with their hashes when the project's parameters are given.
pub(super) fn people(
    mut reader: impl BufRead + Send + 'static,
    config: Option<HashConfig>,
) -> anyhow::Result<Records<ImportPerson>> {
    let is_json = reader.fill_buf()?.trim_ascii_start().starts_with(b"{");
    if is_json {
        let name = |value: &serde_json::Value| text(value, "localId");
        let convert = move |user: User| convert(user, config.as_ref());
        return Ok(json::shaped(Shape::Within("users"), reader, name, convert));
    }
    let rows = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(reader);
    Ok(Box::new(rows.into_records().map(move |row| match row {
        Ok(row) => {
            let place = format!("line {}", row.position().map_or(0, csv::Position::line));
            let name = row.get(0).unwrap_or_default().to_owned();
            let content = from_row(&row).and_then(|user| convert(user, config.as_ref()));
            Record { place, name, content }
        }
        Err(error) => {
            let place = format!("line {}", error.position().map_or(0, csv::Position::line));
            let content = Err(Refusal::new("import.unreadable", None, error.to_string()));
            Record { place, name: String::new(), content }
        }
    })))
}

/// The columns that are read; there is no header row.
fn from_row(row: &csv::StringRecord) -> Result<User, Refusal> {
    let cell = |index: usize| row.get(index).unwrap_or_default().trim().to_owned();
    let truth = |field: &str, index: usize| match cell(index).as_str() {
        "true" => Ok(true),
        "" | "false" | "undefined" => Ok(false),
        other => Err(Refusal::invalid(field, other, "true or false")),
    };
    Ok(User {
        local_id: cell(0),
        email: cell(1),
        email_verified: truth("emailVerified", 2)?,
        password_hash: cell(3),
        salt: cell(4),
        display_name: cell(5),
        created_at: cell(23),
        phone_number: cell(25),
        disabled: truth("disabled", 26)?,
    })
}

fn convert(user: User, config: Option<&HashConfig>) -> Result<ImportPerson, Refusal> {
    if user.disabled {
        return Err(account_disabled("disabled"));
    }
    let required =
        |field: &str, text: String| if text.is_empty() { Err(Refusal::missing(field)) } else { Ok(text) };
    let optional = |text: String| (!text.is_empty()).then_some(text);
    let password_hash = match (user.password_hash.as_str(), config) {
        ("", _) => None,
        (hash, Some(config)) => Some(config.hash(hash, &user.salt)),
        (_, None) => {
            let detail =
                "the hash cannot be checked without the project's parameters; give them with --hash-config";
            return Err(Refusal::new("import.hash_config_required", Some("passwordHash"), detail));
        }
    };
    let created_at = match user.created_at.as_str() {
        "" => None,
        text => {
            let millis = text.parse().ok().and_then(from_millis);
            Some(millis.ok_or_else(|| Refusal::invalid("createdAt", text, "a time in milliseconds"))?)
        }
    };
    let person = Person {
        external_id: required("localId", user.local_id)?,
        email: required("email", user.email)?,
        verified: user.email_verified,
        password_hash,
        name: optional(user.display_name),
        phone: optional(user.phone_number),
        locale: None,
        addresses: Vec::new(),
        consents: Vec::new(),
        created_at: since("createdAt", created_at)?,
    };
    Ok(person.into_import())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parameters of the project's own example.
    const CONFIG: &str = "hash_config {\n  algorithm: SCRYPT,\n  base64_signer_key: \
        jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,\n  \
        base64_salt_separator: Bw==,\n  rounds: 8,\n  mem_cost: 14,\n}\n";

    const JSON: &str = r#"{"users": [
      {"localId": "uid1", "email": "ada@example.com", "emailVerified": true, "displayName": "Ada",
       "passwordHash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
       "salt": "42xEC+ixf3L2lw==", "createdAt": "1600000000000", "lastSignedInAt": "1600000000000", "disabled": false,
       "providerUserInfo": []},
      {"localId": "uid2", "email": "bea@example.com", "createdAt": "1600000000000", "disabled": true},
      {"localId": "uid3", "phoneNumber": "+15555550100", "createdAt": "1600000000000"},
      {"localId": "uid4", "email": "cleo@example.com", "createdAt": "yesterday"},
      {"localId": "uid5", "email": "dan@example.com", "emailVerified": true, "createdAt": "1600000000000"}]}"#;

    const CSV: &str = "uid1,ada@example.com,true,lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==,42xEC+ixf3L2lw==,\"Lovelace, Ada\",,,,,,,,,,,,,,,,,,1600000000000,1600000000000,,false,,\n\
        uid2,bea@example.com,perhaps,,,,,,,,,,,,,,,,,,,,,1600000000000,,,,,\n\
        uid3,,false,,,,,,,,,,,,,,,,,,,,,1600000000000,,+15555550100,,,\n";

    fn codes(records: &[Record<ImportPerson>]) -> Vec<&str> {
        let code = |record| match record {
            &Record { content: Ok(_), .. } => "read",
            Record { content: Err(refusal), .. } => refusal.code.as_str(),
        };
        records.iter().map(code).collect()
    }

    #[test]
    fn both_shapes_are_read_with_the_projects_parameters() {
        let config = HashConfig::parse(CONFIG).unwrap();
        let json: Vec<_> = people(JSON.as_bytes(), Some(config.clone())).unwrap().collect();
        assert_eq!(
            codes(&json),
            ["read", "import.account_disabled", "import.missing", "import.invalid", "read"]
        );
        let csv: Vec<_> = people(CSV.as_bytes(), Some(config)).unwrap().collect();
        assert_eq!(codes(&csv), ["read", "import.invalid", "import.missing"]);
        assert_eq!((csv[1].place.as_str(), csv[1].name.as_str()), ("line 2", "uid2"));
        let (one, other) = (json[0].content.as_ref().unwrap(), csv[0].content.as_ref().unwrap());
        assert_eq!(one.account, other.account);
        assert_eq!(other.customer.name.as_deref(), Some("Lovelace, Ada"));
        assert_eq!(one.account.created_at.to_string(), "2020-09-13T12:26:40.000000Z");
        let hash = one.account.password_hash.as_deref().unwrap();
        assert!(hash.starts_with("$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=jxspr8Ki"), "{hash}");
        assert!(hash.ends_with("==$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=="));
        assert_eq!(json[4].content.as_ref().unwrap().account.password_hash, None);
    }

    #[test]
    fn without_the_parameters_a_hash_is_refused_by_name() {
        let json: Vec<_> = people(JSON.as_bytes(), None).unwrap().collect();
        assert_eq!(codes(&json)[0], "import.hash_config_required");
        assert_eq!(codes(&json)[4], "read");
    }

    #[test]
    fn parameters_that_cannot_be_a_projects_are_refused() {
        for (from, to) in [
            ("SCRYPT", "BCRYPT"),
            ("XA==", "XA="),
            ("rounds: 8", "rounds: 900"),
            ("mem_cost: 14", "mem_cost: 30"),
            ("  rounds", "  turns"),
            ("Bw==", "B$=="),
        ] {
            assert!(HashConfig::parse(&CONFIG.replace(from, to)).is_err(), "{from} -> {to}");
        }
        let json = "{\n\"algorithm\": \"SCRYPT\",\n\"base64_signer_key\": \"KEY\",\n\"base64_salt_separator\": \"Bw==\",\n\"rounds\": 8,\n\"mem_cost\": 14\n}";
        let key = CONFIG.split("signer_key: ").nth(1).unwrap().split(',').next().unwrap();
        let config = HashConfig::parse(&json.replace("KEY", key)).unwrap();
        assert_eq!((config.rounds, config.mem_cost), (8, 14));
        assert!(!format!("{config:?}").contains("jxspr8Ki"));
    }
}
