use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use testkit::engines::{Encryption, Smtp, SmtpOptions};

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn tls(server: &Smtp) -> TlsParameters {
    let authority = Certificate::from_pem(&std::fs::read(server.ca_file()).unwrap()).unwrap();
    TlsParameters::builder("localhost".to_owned()).add_root_certificate(authority).build().unwrap()
}

fn transport(server: &Smtp, tls: Tls, credentials: Option<(&str, &str)>) -> Transport {
    let builder = Transport::builder_dangerous("localhost").port(server.port()).tls(tls);
    match credentials {
        Some((user, password)) => builder.credentials(Credentials::new(user.into(), password.into())).build(),
        None => builder.build(),
    }
}

fn mail() -> Message {
    Message::builder()
        .from("shop@souk.test".parse().unwrap())
        .to("ada@souk.test".parse().unwrap())
        .subject("Order")
        .body("Grüße".to_owned())
        .unwrap()
}

#[tokio::test]
async fn mail_is_taken_over_starttls_only() {
    let server = Smtp::start().await;
    assert!(transport(&server, Tls::None, None).send(mail()).await.is_err());
    transport(&server, Tls::Required(tls(&server)), None).send(mail()).await.unwrap();
    let received = server.received(1).await;
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].from, "shop@souk.test");
    assert_eq!(received[0].to, ["ada@souk.test"]);
    assert!(received[0].message.contains("Subject: Order\r\n"), "{}", received[0].message);
}

#[tokio::test]
async fn credentials_are_checked() {
    for encryption in [Encryption::StartTls, Encryption::Implicit] {
        let credentials = Some(("shop".to_owned(), "lozenge".to_owned()));
        let server = Smtp::start_with(SmtpOptions { encryption, credentials }).await;
        let tls = || match encryption {
            Encryption::Implicit => Tls::Wrapper(tls(&server)),
            _ => Tls::Required(tls(&server)),
        };
        for refused in [None, Some(("shop", "wrong"))] {
            assert!(transport(&server, tls(), refused).send(mail()).await.is_err());
        }
        transport(&server, tls(), Some(("shop", "lozenge"))).send(mail()).await.unwrap();
        assert_eq!(server.received(1).await.len(), 1);
    }
}

#[tokio::test]
async fn a_server_without_encryption_takes_mail_and_keeps_it() {
    let server = Smtp::start_with(SmtpOptions { encryption: Encryption::None, credentials: None }).await;
    transport(&server, Tls::None, None).send(mail()).await.unwrap();
    server.restart().await;
    transport(&server, Tls::None, None).send(mail()).await.unwrap();
    assert_eq!(server.received(2).await.len(), 2);
}
