use kernel::{CustomerId, Timestamp};
use serde_json::{Map, Value};

use super::vocabulary::present_name;
use crate::error::{self, Refusal};

/// The most bytes of one event.
pub(crate) const MAX_EVENT_BYTES: usize = 32 * 1024;

/// The most characters of a message id.
const MAX_MESSAGE_ID: usize = 100;

/// The most characters of the name of an event, and of an id.
const MAX_NAME: usize = 255;

/// The calls of the tracking protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Track,
    Identify,
    Page,
    Screen,
    Group,
    Alias,
}

impl Kind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Track => "track",
            Self::Identify => "identify",
            Self::Page => "page",
            Self::Screen => "screen",
            Self::Group => "group",
            Self::Alias => "alias",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let all = [Self::Track, Self::Identify, Self::Page, Self::Screen, Self::Group, Self::Alias];
        all.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// What a request says for all its events.
#[derive(Clone, Debug)]
pub(crate) struct Defaults {
    /// The type of every event; `None` in a batch, where each has its own.
    pub(crate) kind: Option<Kind>,
    pub(crate) context: Option<Map<String, Value>>,
    pub(crate) integrations: Option<Map<String, Value>>,
    pub(crate) sent_at: Option<Timestamp>,
    pub(crate) received_at: Timestamp,
    /// Where the request came from, when that is known.
    pub(crate) address: Option<String>,
    /// Whether the address goes into every event, or only where it is asked for.
    pub(crate) collect_ip: bool,
}

/// An event that is taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) message_id: String,
    pub(crate) kind: Kind,
    /// What it is counted as: the name of what happened, or the call when it is not `track`.
    pub(crate) event: String,
    pub(crate) user_id: Option<String>,
    pub(crate) anonymous_id: Option<String>,
    pub(crate) occurred_at: Timestamp,
    /// All of it, with what the request said for all and what the server adds.
    pub(crate) body: Map<String, Value>,
}

impl Message {
    /// Reads one event. `new_id` is its id when it brings none.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(crate) fn read(
        mut body: Map<String, Value>,
        defaults: &Defaults,
        new_id: String,
    ) -> Result<Self, Refusal> {
        let kind = match defaults.kind {
            Some(kind) => kind,
            None => match text(&body, "type", MAX_NAME)? {
                Some(kind) => Kind::parse(&kind).ok_or_else(unknown_type)?,
                None => return Err(unknown_type()),
            },
        };
        let user_id = text(&body, "userId", MAX_NAME)?;
        let anonymous_id = text(&body, "anonymousId", MAX_NAME)?;
        let event = name(kind, &body, user_id.as_deref())?;
        if user_id.is_none() && anonymous_id.is_none() {
            return Err(Refusal::new(&error::IDENTITY_REQUIRED, "Send userId, anonymousId or both."));
        }
        let message_id = text(&body, "messageId", MAX_MESSAGE_ID)?.unwrap_or(new_id);
        let occurred_at = occurred_at(&body, defaults);
        body.remove("writeKey");
        merge(&mut body, "context", defaults.context.as_ref())?;
        merge(&mut body, "integrations", defaults.integrations.as_ref())?;
        add_address(&mut body, defaults);
        for (member, value) in [
            ("type", kind.as_str().to_owned()),
            ("messageId", message_id.clone()),
            ("receivedAt", defaults.received_at.to_string()),
        ] {
            body.insert(member.to_owned(), value.into());
        }
        if let Some(original) = body.insert("timestamp".to_owned(), occurred_at.to_string().into()) {
            body.entry("originalTimestamp").or_insert(original);
        }
        Ok(Self { message_id, kind, event, user_id, anonymous_id, occurred_at, body })
    }

    /// The customer that it is about, when `userId` is a customer's id.
    pub(crate) fn customer(&self) -> Option<CustomerId> {
        self.user_id.as_deref()?.parse().ok()
    }
}

fn unknown_type() -> Refusal {
    Refusal::new(&error::UNKNOWN_TYPE, "The type is one of track, identify, page, screen, group and alias.")
}

/// What the event is counted as.
fn name(kind: Kind, body: &Map<String, Value>, user_id: Option<&str>) -> Result<String, Refusal> {
    match kind {
        Kind::Track => {
            let event = text(body, "event", MAX_NAME)?;
            let event =
                event.ok_or_else(|| Refusal::new(&error::EVENT_REQUIRED, "Send `event`: what happened."))?;
            return Ok(present_name(&event).to_owned());
        }
        Kind::Group if text(body, "groupId", MAX_NAME)?.is_none() => {
            return Err(Refusal::new(&error::GROUP_ID_REQUIRED, "Send `groupId`: which group."));
        }
        Kind::Alias if text(body, "previousId", MAX_NAME)?.is_none() || user_id.is_none() => {
            let detail = "Send `previousId` and `userId`: who is whom.";
            return Err(Refusal::new(&error::PREVIOUS_ID_REQUIRED, detail));
        }
        _ => {}
    }
    Ok(kind.as_str().to_owned())
}

/// A text member; an absent, empty or null one is none, and a number stands for its digits.
fn text(body: &Map<String, Value>, member: &str, longest: usize) -> Result<Option<String>, Refusal> {
    let value = match body.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(_) => return Err(invalid(format!("`{member}` must be text."))),
    };
    if value.chars().count() > longest {
        return Err(invalid(format!("`{member}` must have at most {longest} characters.")));
    }
    if value.chars().any(char::is_control) {
        return Err(invalid(format!("`{member}` must not contain control characters.")));
    }
    Ok((!value.trim().is_empty()).then_some(value))
}

fn invalid(detail: String) -> Refusal {
    Refusal::new(&error::INVALID_EVENT, detail)
}

/// When it happened by our clock: the sender's clock may be wrong, but how long before sending it
/// happened is right. What cannot be read as a time is passed over, and stays in the message.
fn occurred_at(body: &Map<String, Value>, defaults: &Defaults) -> Timestamp {
    let moment = |member| body.get(member).and_then(Value::as_str)?.parse::<Timestamp>().ok();
    let received = defaults.received_at;
    let Some(original) = moment("originalTimestamp").or_else(|| moment("timestamp")) else { return received };
    let happened = match moment("sentAt").or(defaults.sent_at) {
        Some(sent) => received.minus(sent.since(original)),
        None => original,
    };
    // Nothing is received before it happens, and days before 1970 are clocks that were never set.
    if happened < Timestamp::EPOCH { received } else { happened.min(received) }
}

/// The members that the request gives all events, under those of the event.
fn merge(
    body: &mut Map<String, Value>,
    member: &str,
    outer: Option<&Map<String, Value>>,
) -> Result<(), Refusal> {
    let inner = match body.get_mut(member) {
        None | Some(Value::Null) => {
            if let Some(outer) = outer {
                body.insert(member.to_owned(), Value::Object(outer.clone()));
            }
            return Ok(());
        }
        Some(Value::Object(inner)) => inner,
        Some(_) => return Err(invalid(format!("`{member}` must be an object."))),
    };
    for (name, value) in outer.into_iter().flatten() {
        inner.entry(name.as_str()).or_insert_with(|| value.clone());
    }
    Ok(())
}

fn add_address(body: &mut Map<String, Value>, defaults: &Defaults) {
    let Some(address) = &defaults.address else { return };
    let asked = body.get("context").and_then(|context| context.get("direct")) == Some(&Value::Bool(true));
    if !asked && !defaults.collect_ip {
        return;
    }
    let context = body.entry("context").or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(context) = context {
        context.entry("ip").or_insert_with(|| address.as_str().into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn defaults() -> Defaults {
        Defaults {
            kind: None,
            context: None,
            integrations: None,
            sent_at: None,
            received_at: at("2026-11-21T12:00:00Z"),
            address: Some("192.0.2.1".to_owned()),
            collect_ip: false,
        }
    }

    fn read_with(body: Value, defaults: &Defaults) -> Result<Message, Refusal> {
        let Value::Object(body) = body else { panic!("an object") };
        Message::read(body, defaults, "assigned".to_owned())
    }

    fn read(body: Value) -> Result<Message, Refusal> {
        read_with(body, &defaults())
    }

    fn code(body: Value) -> &'static str {
        read(body).unwrap_err().code.code
    }

    #[test]
    fn each_call_says_what_it_lacks() {
        let long = "x".repeat(101);
        assert_eq!(code(json!({"userId": "u"})), "analytics.unknown_type");
        assert_eq!(code(json!({"type": "tracks", "userId": "u"})), "analytics.unknown_type");
        assert_eq!(code(json!({"type": "track", "userId": "u"})), "analytics.event_required");
        assert_eq!(code(json!({"type": "track", "event": " ", "userId": "u"})), "analytics.event_required");
        assert_eq!(code(json!({"type": "track", "event": "x"})), "analytics.identity_required");
        assert_eq!(code(json!({"type": "group", "userId": "u"})), "analytics.group_id_required");
        assert_eq!(code(json!({"type": "alias", "userId": "u"})), "analytics.previous_id_required");
        assert_eq!(code(json!({"type": "alias", "previousId": "u"})), "analytics.previous_id_required");
        assert_eq!(
            code(json!({"type": "page", "userId": "u", "messageId": long})),
            "analytics.invalid_event"
        );
        assert_eq!(code(json!({"type": "page", "userId": ["u"]})), "analytics.invalid_event");
        assert_eq!(code(json!({"type": "page", "userId": "a\u{0}b"})), "analytics.invalid_event");
        assert_eq!(code(json!({"type": "page", "userId": "u", "context": 1})), "analytics.invalid_event");
    }

    #[test]
    fn unknown_members_stay_and_ids_are_assigned() {
        let message =
            read(json!({"type": "page", "userId": 7, "name": "Home", "writeKey": "k", "x": {"y": 1}}))
                .unwrap();
        assert_eq!((message.event.as_str(), message.message_id.as_str()), ("page", "assigned"));
        assert_eq!(message.user_id.as_deref(), Some("7"));
        assert_eq!(
            Value::Object(message.body),
            json!({
                "type": "page", "userId": 7, "name": "Home", "x": {"y": 1}, "messageId": "assigned",
                "receivedAt": "2026-11-21T12:00:00.000000Z", "timestamp": "2026-11-21T12:00:00.000000Z",
            })
        );
    }

    #[test]
    fn a_wrong_clock_is_put_right_by_when_the_event_was_sent() {
        let event = json!({"type": "page", "userId": "u", "timestamp": "2031-01-01T00:00:00Z"});
        let sent = Defaults { sent_at: Some(at("2031-01-01T00:01:30Z")), ..defaults() };
        let message = read_with(event.clone(), &sent).unwrap();
        assert_eq!(message.occurred_at, at("2026-11-21T11:58:30Z"));
        assert_eq!(message.body["originalTimestamp"], "2031-01-01T00:00:00Z");
        // Without the time of sending there is nothing to go by, but nothing comes from the future.
        assert_eq!(read(event).unwrap().occurred_at, at("2026-11-21T12:00:00Z"));
        let yesterday =
            read(json!({"type": "page", "userId": "u", "timestamp": "2026-11-20T12:00:00+01:00"}));
        assert_eq!(yesterday.unwrap().occurred_at, at("2026-11-20T11:00:00Z"));
        let unread = read(json!({"type": "page", "userId": "u", "timestamp": "noon"})).unwrap();
        assert_eq!(unread.occurred_at, at("2026-11-21T12:00:00Z"));
        assert_eq!(unread.body["originalTimestamp"], "noon");
    }

    #[test]
    fn the_batch_speaks_for_events_that_do_not_speak_themselves() {
        let outer = json!({"locale": "de", "app": "shop"});
        let defaults = Defaults { context: outer.as_object().cloned(), ..defaults() };
        let own = read_with(json!({"type": "page", "userId": "u", "context": {"locale": "fr"}}), &defaults);
        assert_eq!(own.unwrap().body["context"], json!({"locale": "fr", "app": "shop"}));
        let none = read_with(json!({"type": "page", "userId": "u"}), &defaults);
        assert_eq!(none.unwrap().body["context"], outer);
    }

    #[test]
    fn the_address_is_added_only_where_it_is_wanted() {
        let plain = json!({"type": "page", "userId": "u"});
        assert!(!read(plain.clone()).unwrap().body.contains_key("context"));
        let direct = read(json!({"type": "page", "userId": "u", "context": {"direct": true}})).unwrap();
        assert_eq!(direct.body["context"]["ip"], "192.0.2.1");
        let all = Defaults { collect_ip: true, ..defaults() };
        assert_eq!(read_with(plain, &all).unwrap().body["context"]["ip"], "192.0.2.1");
        let own = read_with(json!({"type": "page", "userId": "u", "context": {"ip": "198.51.100.7"}}), &all);
        assert_eq!(own.unwrap().body["context"]["ip"], "198.51.100.7");
    }

    #[test]
    fn only_a_customers_id_names_a_customer() {
        let of = |user: &str| read(json!({"type": "page", "userId": user})).unwrap().customer();
        assert!(of("cus_01h455vb4pex5vsknk084sn02q").is_some());
        assert!(of("ord_01h455vb4pex5vsknk084sn02q").is_none());
        assert!(of("ada").is_none());
    }
}
