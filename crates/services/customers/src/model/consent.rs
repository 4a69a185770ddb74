use kernel::Timestamp;
use serde::Serialize;

/// One yes or no of a customer to one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ConsentDecision)]
pub(crate) struct Decision {
    /// To what.
    pub(crate) purpose: String,
    /// Yes or no.
    pub(crate) granted: bool,
    /// Which version of the text they read.
    pub(crate) text_version: String,
    /// Where they decided: `profile_page`, `checkout`, …
    pub(crate) source: String,
    /// When.
    pub(crate) decided_at: Timestamp,
}

impl Decision {
    /// Whether it says anything that `before`, the latest one on the purpose, did not. The same
    /// answer to a new text does.
    pub(crate) fn is_new(&self, before: Option<&Self>) -> bool {
        before.is_none_or(|before| before.granted != self.granted || before.text_version != self.text_version)
    }
}

/// Where a customer stands on one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Consent {
    /// To what.
    #[schema(examples("marketing_email"))]
    pub(crate) purpose: String,
    /// Whether they said yes; false when they were never asked.
    pub(crate) granted: bool,
    /// Which version of the text they read; null when they were never asked.
    pub(crate) text_version: Option<String>,
    /// Where they decided.
    pub(crate) source: Option<String>,
    /// When they decided.
    pub(crate) decided_at: Option<Timestamp>,
}

impl Consent {
    /// Where somebody stands on `purpose` whose latest decision on it is `latest`.
    pub(crate) fn new(purpose: &str, latest: Option<Decision>) -> Self {
        let purpose = purpose.to_owned();
        match latest {
            None => Self { purpose, granted: false, text_version: None, source: None, decided_at: None },
            Some(latest) => Self {
                purpose,
                granted: latest.granted,
                text_version: Some(latest.text_version),
                source: Some(latest.source),
                decided_at: Some(latest.decided_at),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_is_new_unless_the_same_was_said_to_the_same_text() {
        let yes = Decision {
            purpose: "analytics".into(),
            granted: true,
            text_version: "1".into(),
            source: "checkout".into(),
            decided_at: Timestamp::EPOCH,
        };
        assert!(yes.is_new(None));
        assert!(!Decision { source: "profile_page".into(), ..yes.clone() }.is_new(Some(&yes)));
        assert!(Decision { text_version: "2".into(), ..yes.clone() }.is_new(Some(&yes)));
        assert!(Decision { granted: false, ..yes.clone() }.is_new(Some(&yes)));
    }
}
