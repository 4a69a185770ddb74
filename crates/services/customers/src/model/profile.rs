use std::collections::BTreeMap;

use kernel::Date;
use serde::{Deserialize, Deserializer, Serialize};
use web::Checks;

use super::locale::is_locale;
use super::phone::is_phone;

/// The most preferences that one customer has.
pub(crate) const MAX_PREFERENCES: usize = 50;

/// What a customer says about themselves. Sealed as one value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) locale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) birthday: Option<Date>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) preferences: BTreeMap<String, Preference>,
}

/// What a preference can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(untagged)]
pub(crate) enum Preference {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Number(i64),
    /// A text of up to 500 characters.
    Text(String),
}

/// What becomes of a preference: a new value, or null to remove it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
pub(crate) struct PreferenceChange(Option<Preference>);

/// A change of a profile as a JSON merge patch (RFC 7396): what is absent stays, null removes.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
pub(crate) struct ProfilePatch {
    /// What they are called.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub(crate) name: Option<Option<String>>,
    /// Their telephone number.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 32, examples("+353 1 234 5678"))]
    pub(crate) phone: Option<Option<String>>,
    /// Their language, BCP 47; null for the shop's.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, max_length = 35, examples("de-CH"))]
    pub(crate) locale: Option<Option<String>>,
    /// The day they were born.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Date>)]
    pub(crate) birthday: Option<Option<Date>>,
    /// Preferences to set, or with null to remove; null for all of them. At most 50 may be set in all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<BTreeMap<String, PreferenceChange>>)]
    pub(crate) preferences: Option<Option<BTreeMap<String, PreferenceChange>>>,
}

/// There would be more preferences than may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooManyPreferences;

/// Tells a field that is null from one that is absent.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Profile {
    /// The profile after `patch`.
    ///
    /// # Errors
    /// When there would be more than [`MAX_PREFERENCES`].
    pub(crate) fn patched(mut self, patch: ProfilePatch) -> Result<Self, TooManyPreferences> {
        set(&mut self.name, patch.name);
        set(&mut self.phone, patch.phone);
        set(&mut self.locale, patch.locale);
        set(&mut self.birthday, patch.birthday);
        match patch.preferences {
            None => {}
            Some(None) => self.preferences.clear(),
            Some(Some(changes)) => {
                for (key, PreferenceChange(change)) in changes {
                    match change {
                        Some(value) => drop(self.preferences.insert(key, value)),
                        None => drop(self.preferences.remove(&key)),
                    }
                }
            }
        }
        if self.preferences.len() > MAX_PREFERENCES { Err(TooManyPreferences) } else { Ok(self) }
    }
}

fn set<T>(field: &mut Option<T>, change: Option<Option<T>>) {
    if let Some(value) = change {
        *field = value;
    }
}

impl ProfilePatch {
    /// Says what is wrong with it on the day `today`.
    pub(crate) fn check(&self, checks: &mut Checks, today: Date) {
        let name = self.name.as_ref().and_then(Option::as_deref);
        let phone = self.phone.as_ref().and_then(Option::as_deref);
        let locale = self.locale.as_ref().and_then(Option::as_deref);
        check_person(checks, name, phone, locale);
        if let (Some(Some(birthday)), Some(earliest)) = (self.birthday, Date::new(1900, 1, 1)) {
            checks.range("birthday", birthday, earliest..=today);
        }
        if let Some(Some(preferences)) = &self.preferences {
            checks.count("preferences", preferences.len(), 0..=MAX_PREFERENCES);
            checks.within("preferences", &Preferences(preferences));
        }
    }
}

/// Says what is wrong with what people are called and reached by.
pub(crate) fn check_person(
    checks: &mut Checks,
    name: Option<&str>,
    phone: Option<&str>,
    locale: Option<&str>,
) {
    checks.optional_text("name", name, 1..=200);
    checks.check("phone", phone.is_none_or(is_phone), "invalid_phone", "must be a telephone number");
    let tag = locale.is_none_or(is_locale);
    checks.check("locale", tag, "invalid_locale", "must be a language tag of BCP 47, such as de-CH");
}

struct Preferences<'a>(&'a BTreeMap<String, PreferenceChange>);

impl web::Validate for Preferences<'_> {
    fn validate(&self, checks: &mut Checks) {
        for (key, PreferenceChange(value)) in self.0 {
            let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
            let named = (1..=64).contains(&key.len()) && plain;
            checks.check(key, named, "invalid_name", "must be 1 to 64 letters, digits, `_`, `.` and `-`");
            if let Some(Preference::Text(text)) = value {
                checks.text(key, text, 0..=500);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// RFC 7396 section 2, as it is written there.
    fn merge(target: &mut Value, patch: &Value) {
        let Value::Object(patch) = patch else {
            *target = patch.clone();
            return;
        };
        if !target.is_object() {
            *target = json!({});
        }
        let members = target.as_object_mut().unwrap();
        for (name, value) in patch {
            if value.is_null() {
                members.remove(name);
            } else {
                merge(members.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }

    fn leaf() -> impl Strategy<Value = Value> {
        prop_oneof![Just(Value::Null), "[a-z]{1,3}".prop_map(Value::from)]
    }

    fn patch() -> impl Strategy<Value = Value> {
        let preferences = prop_oneof![
            1 => Just(Value::Null),
            4 => prop::collection::btree_map("[a-c]", leaf(), 0..3).prop_map(|map| json!(map)),
        ];
        let fields = prop::collection::btree_map("name|phone|locale", leaf(), 0..3);
        (fields, prop::option::of(preferences)).prop_map(|(fields, preferences)| {
            let mut patch = json!(fields);
            if let Some(preferences) = preferences {
                patch["preferences"] = preferences;
            }
            patch
        })
    }

    proptest! {
        #[test]
        fn patches_are_merged_as_rfc_7396_says(patches in prop::collection::vec(patch(), 1..6)) {
            let (mut profile, mut document) = (Profile::default(), json!({}));
            for patch in patches {
                profile = profile.patched(serde_json::from_value(patch.clone()).unwrap()).unwrap();
                merge(&mut document, &patch);
                // No preferences and an empty list of them are the same to us.
                if document["preferences"] == json!({}) {
                    document.as_object_mut().unwrap().remove("preferences");
                }
            }
            document.as_object_mut().unwrap().retain(|_, value| !value.is_null());
            prop_assert_eq!(serde_json::to_value(profile).unwrap(), document);
        }
    }

    #[test]
    fn preferences_are_bounded() {
        let many = |from: usize, count: usize| {
            let map: BTreeMap<_, _> = (from..from + count).map(|n| (format!("p{n}"), json!(n))).collect();
            serde_json::from_value::<ProfilePatch>(json!({"preferences": map})).unwrap()
        };
        let full = Profile::default().patched(many(0, MAX_PREFERENCES)).unwrap();
        assert_eq!(full.clone().patched(many(MAX_PREFERENCES, 1)), Err(TooManyPreferences));
        assert!(full.patched(many(0, 1)).is_ok());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let patch = json!({
            "name": " ", "phone": "none", "locale": "german", "birthday": "2026-01-02",
            "preferences": {"a b": true, "note": "x".repeat(501), "gone": null}
        });
        let patch: ProfilePatch = serde_json::from_value(patch).unwrap();
        let mut checks = Checks::of_body();
        patch.check(&mut checks, "2026-01-01".parse().unwrap());
        let pointers: Vec<_> = checks.into_errors().into_iter().map(|error| error.pointer).collect();
        assert_eq!(
            pointers,
            ["/name", "/phone", "/locale", "/birthday", "/preferences/a b", "/preferences/note"]
        );
    }
}
