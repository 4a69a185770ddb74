use std::fmt;
use std::time::{Duration, SystemTime};

use kernel::Timestamp;
use lettre::message::header::{ContentTransferEncoding, ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};

use crate::{Address, MailError, Rendered};

/// Who a mail comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The name that the recipient sees.
    pub name: String,
    /// The address.
    pub address: Address,
}

/// A mail to one recipient, in text and HTML.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The caller's own id of this mail, up to 64 letters, digits, `.`, `_` and `-`: the id of the
    /// event or job that caused it. It becomes the `Message-ID`, so a mail that is sent again
    /// after a crash is recognised by servers and mail programs as the same one.
    pub id: String,
    /// To whom.
    pub to: Address,
    /// The recipient's name, if it is to be shown.
    pub to_name: Option<String>,
    /// The subject, up to 200 characters, one line.
    pub subject: String,
    /// The body as text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Address>,
    /// An `https` URL that ends such mails at one click (RFC 8058); mails that were not asked for need one.
    pub unsubscribe_url: Option<String>,
}

const MAX_ID: usize = 64;
const MAX_LINE: usize = 200;
const MAX_URL: usize = 900;
const MAX_BODY: usize = 512 * 1024;

/// Without the bodies, which hold codes and links that sign people in.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("id", &self.id).field("to", &self.to).finish_non_exhaustive()
    }
}

impl Message {
    /// The mail `id` to `to`, as a template rendered it.
    pub fn new(id: impl Into<String>, to: Address, rendered: Rendered) -> Self {
        let Rendered { subject, text, html } = rendered;
        Self { id: id.into(), to, to_name: None, subject, text, html, reply_to: None, unsubscribe_url: None }
    }

    /// Checks every field and writes the message in the form of RFC 5322.
    pub(crate) fn encode(&self, from: &Sender, date: Timestamp) -> Result<lettre::Message, MailError> {
        self.check()?;
        check_line("sender's name", &from.name)?;
        let since_epoch = Duration::from_micros(u64::try_from(date.as_micros()).unwrap_or(0));
        let id = format!("<{}@{}>", self.id, lettre_address(&from.address)?.domain());
        let mut builder = lettre::Message::builder()
            .message_id(Some(id))
            .date(SystemTime::UNIX_EPOCH + since_epoch)
            .from(Mailbox::new(Some(from.name.clone()), lettre_address(&from.address)?))
            .to(Mailbox::new(self.to_name.clone(), lettre_address(&self.to)?))
            .subject(self.subject.clone())
            // RFC 3834: no out-of-office note comes back to a mail that a program wrote.
            .header(AutoSubmitted);
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(Mailbox::new(None, lettre_address(reply_to)?));
        }
        if let Some(url) = &self.unsubscribe_url {
            builder = builder.header(ListUnsubscribe(url.clone())).header(ListUnsubscribePost);
        }
        let alternatives = MultiPart::alternative()
            // Quoted-printable never writes "=_", so no body can hold the boundary.
            .boundary(format!("=_{}", self.id))
            .singlepart(part(ContentType::TEXT_PLAIN, &self.text)?)
            .singlepart(part(ContentType::TEXT_HTML, &self.html)?);
        builder.multipart(alternatives).map_err(|error| MailError::Unavailable(error.into()))
    }

    fn check(&self) -> Result<(), MailError> {
        let invalid = |field, reason| Err(MailError::Invalid { field, reason });
        let in_id = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        let dots = self.id.starts_with('.') || self.id.ends_with('.') || self.id.contains("..");
        if self.id.is_empty() || self.id.len() > MAX_ID || dots || !self.id.bytes().all(in_id) {
            return invalid("id", "1 to 64 letters, digits, '.', '_' and '-'");
        }
        check_line("subject", &self.subject)?;
        if let Some(name) = &self.to_name {
            check_line("recipient's name", name)?;
        }
        if self.text.len() > MAX_BODY || self.html.len() > MAX_BODY {
            return invalid("body", "at most 512 KiB");
        }
        if let Some(url) = &self.unsubscribe_url {
            let sound = url.bytes().all(|b| b.is_ascii_graphic() && !b"<>\"".contains(&b));
            if !sound || !url.starts_with("https://") || url.len() > MAX_URL {
                return invalid("unsubscribe_url", "an https URL of at most 900 ASCII characters");
            }
        }
        Ok(())
    }
}

/// Whatever becomes a header must be one line: a line break would begin a header of its own.
fn check_line(field: &'static str, text: &str) -> Result<(), MailError> {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if text.trim().is_empty() || text.chars().count() > MAX_LINE || text.contains(breaks) {
        return Err(MailError::Invalid { field, reason: "one line of 1 to 200 characters" });
    }
    Ok(())
}

pub(crate) fn lettre_address(address: &Address) -> Result<lettre::Address, MailError> {
    address
        .to_ascii()
        .parse()
        .map_err(|_| MailError::Invalid { field: "address", reason: "not a mail address" })
}

fn part(content_type: ContentType, text: &str) -> Result<SinglePart, MailError> {
    let body = Body::new_with_encoding(text.to_owned(), ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| MailError::Invalid { field: "body", reason: "cannot be encoded" })?;
    Ok(SinglePart::builder().header(content_type).body(body))
}

/// Declares a header whose value is known to be ASCII without line breaks.
macro_rules! plain_header {
    ($type:ident, $name:literal, |$value:ident| $text:expr) => {
        impl Header for $type {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                // Headers are only written here.
                Err($name.into())
            }

            fn display(&self) -> HeaderValue {
                let $value = self;
                let text: String = $text;
                // Encoding would fold a long URL, which some mail programs do not put together again.
                HeaderValue::dangerous_new_pre_encoded(Self::name(), text.clone(), text)
            }
        }
    };
}

#[derive(Clone)]
struct AutoSubmitted;
plain_header!(AutoSubmitted, "Auto-Submitted", |_value| "auto-generated".to_owned());

#[derive(Clone)]
struct ListUnsubscribe(String);
plain_header!(ListUnsubscribe, "List-Unsubscribe", |value| format!("<{}>", value.0));

#[derive(Clone)]
struct ListUnsubscribePost;
plain_header!(ListUnsubscribePost, "List-Unsubscribe-Post", |_value| "List-Unsubscribe=One-Click".to_owned());

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> Message {
        let rendered = Rendered { subject: "Hello".into(), text: "text".into(), html: "<p>html</p>".into() };
        Message::new("evt_01h2xcejqtf2nbrexx3vqjhp41", "jane@example.com".parse().unwrap(), rendered)
    }

    fn sender() -> Sender {
        Sender { name: "Maison Zoë".into(), address: "no-reply@bücher.example".parse().unwrap() }
    }

    fn written(message: &Message) -> String {
        let date = Timestamp::from_seconds(784_111_777);
        String::from_utf8(message.encode(&sender(), date).unwrap().formatted()).unwrap()
    }

    #[test]
    fn the_same_mail_is_written_the_same_and_keeps_its_id() {
        assert_eq!(written(&message()), written(&message()));
        let text = written(&message());
        assert!(
            text.contains("Message-ID: <evt_01h2xcejqtf2nbrexx3vqjhp41@xn--bcher-kva.example>\r\n"),
            "{text}"
        );
        assert!(text.contains("Date: Sun, 06 Nov 1994 08:49:37 +0000\r\n"), "{text}");
        assert!(text.contains("Auto-Submitted: auto-generated\r\n"), "{text}");
        assert!(!text.contains("List-Unsubscribe"), "{text}");
    }

    #[test]
    fn a_way_out_is_offered_at_one_click() {
        let mut message = message();
        let url = format!("https://shop.example/unsubscribe/{}", "t".repeat(200));
        message.unsubscribe_url = Some(url.clone());
        let text = written(&message);
        assert!(text.contains(&format!("List-Unsubscribe: <{url}>\r\n")), "{text}");
        assert!(text.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"), "{text}");
    }

    #[test]
    fn headers_cannot_be_forged() {
        let forged = "x\r\nBcc: victim@example.com";
        let mut messages = vec![message(); 5];
        messages[0].subject = forged.into();
        messages[1].to_name = Some(forged.into());
        messages[2].id = forged.into();
        messages[3].unsubscribe_url = Some(format!("https://shop.example/{forged}"));
        messages[4].subject = "x\u{2028}y".into();
        for message in messages {
            let refused = message.encode(&sender(), Timestamp::EPOCH).unwrap_err();
            assert!(matches!(refused, MailError::Invalid { .. }), "{refused:?}");
        }
    }

    #[test]
    fn limits_are_kept() {
        let mut long = message();
        long.html = "x".repeat(MAX_BODY + 1);
        assert!(long.encode(&sender(), Timestamp::EPOCH).is_err());
        let mut empty = message();
        empty.subject = " ".into();
        assert!(empty.encode(&sender(), Timestamp::EPOCH).is_err());
    }

    proptest! {
        #[test]
        fn no_input_adds_a_header_or_a_part(subject in ".{1,60}", name in ".{1,60}", text in "(.|\r|\n|--=_evt){0,200}") {
            let mut message = message();
            message.subject = subject.clone();
            message.to_name = Some(name.clone());
            message.text = text;
            if let Ok(encoded) = message.encode(&sender(), Timestamp::EPOCH) {
                let raw = encoded.formatted();
                let parsed = mail_parser::MessageParser::default().parse(&raw).unwrap();
                let headers: Vec<String> = parsed.headers().iter().map(|h| h.name().to_lowercase()).collect();
                prop_assert_eq!(headers, [
                    "message-id", "date", "from", "to", "subject", "auto-submitted", "mime-version", "content-type",
                ]);
                prop_assert_eq!(parsed.parts.len(), 3);
                prop_assert_eq!(parsed.subject().unwrap_or_default().trim(), subject.trim());
                prop_assert_eq!(parsed.to().unwrap().first().unwrap().address(), Some("jane@example.com"));
            }
        }
    }
}
