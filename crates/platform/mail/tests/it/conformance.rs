//! One suite, every engine: what is sent arrives, whole and as it was meant.

use kernel::{Clock, Rng, Timestamp};
use mail::mailbox::{self, StoredMail};
use mail::{Mailer, Message, Rendered, Sender, SmtpConfig};
use testkit::engines::{Encryption, Smtp, SmtpOptions};

pub(crate) fn sender() -> Sender {
    Sender { name: "Maison Zoë".into(), address: "no-reply@shop.example".parse().unwrap() }
}

pub(crate) fn clock() -> Clock {
    Clock::manual(Timestamp::from_seconds(1_795_301_372))
}

pub(crate) fn message(id: &str) -> Message {
    let rendered = Rendered {
        subject: "Grüße, 你好 and a subject that is long enough to need more than one line of a header"
            .into(),
        text: "Hello Zoë\n.\n..dots\nhttps://shop.example/v?token=abc&x=1=2\n".into(),
        html: "<p>Hello Zoë &amp; 你好</p>\n<a href=\"https://shop.example/v?token=abc\">go</a>\n".into(),
    };
    Message {
        to_name: Some("Zoë Doe, Jr.".into()),
        ..Message::new(id, "Zoe.Doe@example.com".parse().unwrap(), rendered)
    }
}

pub(crate) fn smtp_config(server: &Smtp) -> SmtpConfig {
    SmtpConfig { port: Some(server.port()), ca_file: Some(server.ca_file()), ..SmtpConfig::new("localhost") }
}

/// Where mails can be looked at after they were sent.
enum Inbox {
    Folder(tempfile::TempDir),
    Server(Smtp),
}

impl Inbox {
    /// The mails, oldest first.
    async fn mails(&self, count: usize) -> Vec<StoredMail> {
        let mut mails = match self {
            Self::Folder(dir) => mailbox::list(dir.path(), 100).await.unwrap(),
            Self::Server(server) => {
                // The same reader reads what the server took.
                let dir = tempfile::tempdir().unwrap();
                for (place, mail) in server.received(count).await.into_iter().enumerate() {
                    assert_eq!(mail.from, "no-reply@shop.example");
                    assert_eq!(mail.to, ["Zoe.Doe@example.com"]);
                    std::fs::write(dir.path().join(format!("{place:04}.eml")), mail.message).unwrap();
                }
                mailbox::list(dir.path(), 100).await.unwrap()
            }
        };
        mails.reverse();
        mails
    }
}

async fn suite(mailer: Mailer, inbox: Inbox) {
    let mut offer = message("evt_1");
    offer.unsubscribe_url = Some("https://shop.example/unsubscribe/abc".into());
    offer.reply_to = Some("help@shop.example".parse().unwrap());
    mailer.send(&offer).await.unwrap();
    for id in ["evt_2", "evt_3", "evt_2"] {
        mailer.send(&message(id)).await.unwrap();
    }
    let mut forged = message("evt_4");
    forged.subject = "x\r\nBcc: victim@example.com".into();
    assert!(mailer.send(&forged).await.unwrap_err().is_permanent());

    let mails = inbox.mails(4).await;
    let ids: Vec<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!(ids, ["evt_1@shop.example", "evt_2@shop.example", "evt_3@shop.example", "evt_2@shop.example"]);
    let first = &mails[0];
    let sent = message("evt_1");
    assert_eq!(first.subject, sent.subject);
    assert_eq!(first.to_name, sent.to_name);
    assert_eq!((first.from.as_str(), first.to.as_str()), ("no-reply@shop.example", "Zoe.Doe@example.com"));
    assert_eq!(first.sent_at, Timestamp::from_seconds(1_795_301_372));
    assert_eq!(first.unsubscribe_url.as_deref(), Some("https://shop.example/unsubscribe/abc"));
    assert_eq!(first.text.replace("\r\n", "\n").trim_end(), sent.text.trim_end());
    assert_eq!(first.html.replace("\r\n", "\n").trim_end(), sent.html.trim_end());
    assert_eq!(mails[1].unsubscribe_url, None);
}

#[tokio::test]
async fn folder() {
    let dir = tempfile::tempdir().unwrap();
    let mailer = Mailer::folder(dir.path(), sender(), clock(), Rng::seeded(1));
    suite(mailer, Inbox::Folder(dir)).await;
}

#[tokio::test]
async fn server_with_starttls() {
    let server = Smtp::start().await;
    let mailer = Mailer::smtp(&smtp_config(&server), sender(), clock()).unwrap();
    suite(mailer, Inbox::Server(server)).await;
}

#[tokio::test]
async fn server_with_implicit_tls_and_credentials() {
    let credentials = Some(("souk".to_owned(), "hunter2".to_owned()));
    let server = Smtp::start_with(SmtpOptions { encryption: Encryption::Implicit, credentials }).await;
    let mut config = smtp_config(&server);
    config.encryption = mail::Encryption::Implicit;
    config.username = Some("souk".into());
    config.password = Some("hunter2".to_owned().into());
    suite(Mailer::smtp(&config, sender(), clock()).unwrap(), Inbox::Server(server)).await;
}

#[tokio::test]
async fn server_on_loopback_without_tls() {
    let server = Smtp::start_with(SmtpOptions { encryption: Encryption::None, credentials: None }).await;
    let config = SmtpConfig { encryption: mail::Encryption::None, ca_file: None, ..smtp_config(&server) };
    suite(Mailer::smtp(&config, sender(), clock()).unwrap(), Inbox::Server(server)).await;
}

#[tokio::test]
async fn the_configuration_chooses_the_engine() {
    let dir = tempfile::tempdir().unwrap();
    let config: mail::MailConfig =
        serde_json::from_str(r#"{"from_name": "Maison Zoë", "from_address": "no-reply@shop.example"}"#)
            .unwrap();
    let mailer = Mailer::open(&config, dir.path(), clock(), Rng::seeded(1)).unwrap();
    mailer.send(&message("evt_1")).await.unwrap();
    let mails = mailbox::list(&dir.path().join("mail"), 10).await.unwrap();
    assert_eq!(mails.len(), 1);
    assert_eq!(mailbox::read(&dir.path().join("mail"), &mails[0].name).await.unwrap(), mails[0]);
    assert!(mailbox::read(&dir.path().join("mail"), "../souk.toml").await.is_err());
    assert_eq!(mailbox::list(&dir.path().join("nowhere"), 10).await.unwrap(), []);
    assert!(serde_json::from_str::<mail::MailConfig>(r#"{"sender": "x"}"#).is_err());
}

static MAILS: include_dir::Dir<'_> = include_dir::include_dir!("$CARGO_MANIFEST_DIR/tests/templates");

#[tokio::test]
async fn a_services_mails_wear_the_shops_brand() {
    let dir = tempfile::tempdir().unwrap();
    let config: mail::MailConfig =
        serde_json::from_str(r#"{"brand": {"name": "Maison Zoë"}, "templates": "own"}"#).unwrap();
    std::fs::create_dir_all(dir.path().join("own/verify_email")).unwrap();
    std::fs::write(dir.path().join("own/verify_email/subject.txt"), "Bienvenue chez {{ brand.name }}")
        .unwrap();
    let mailer = Mailer::open(&config, dir.path(), clock(), Rng::seeded(1)).unwrap();
    let context = serde_json::json!({"url": "https://shop.example/v?t=1&u=2", "code": "49302177"});
    let rendered = mailer.templates(&MAILS).unwrap().render("verify_email", &context).unwrap();
    mailer.send(&Message::new("evt_1", "jane@example.com".parse().unwrap(), rendered)).await.unwrap();
    let mail = mailbox::list(&dir.path().join("mail"), 1).await.unwrap().remove(0);
    assert_eq!(mail.subject, "Bienvenue chez Maison Zoë");
    assert!(
        mail.text.contains("https://shop.example/v?t=1&u=2") && mail.text.contains("49302177"),
        "{}",
        mail.text
    );
    assert!(
        mail.html.contains("href=\"https:&#x2f;&#x2f;shop.example")
            || mail.html.contains("href=\"https://shop.example"),
        "{}",
        mail.html
    );
    assert!(mail.html.contains("Confirm address"), "{}", mail.html);
}
