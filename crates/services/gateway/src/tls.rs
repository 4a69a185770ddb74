use std::fs::File;
use std::io::BufReader;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

use crate::config::TlsConfig;
use crate::server::ServerError;

/// The certificate that is served at this moment.
#[derive(Debug)]
pub(crate) struct Certificates {
    config: TlsConfig,
    current: ArcSwap<CertifiedKey>,
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

impl Certificates {
    /// Reads the files for the first time.
    pub(crate) fn read(config: &TlsConfig) -> Result<Arc<Self>, ServerError> {
        let current = ArcSwap::from_pointee(read(config)?);
        Ok(Arc::new(Self { config: config.clone(), current }))
    }

    /// TLS 1.2 and 1.3, HTTP/2 and HTTP/1.1.
    pub(crate) fn server_config(self: &Arc<Self>) -> Result<rustls::ServerConfig, ServerError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| ServerError::Tls { detail: error.to_string() })?
            .with_no_client_auth()
            .with_cert_resolver(self.clone());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Reads the files again whenever they change, until `shutdown`. Both are looked at, because
    /// whoever renews them writes one after the other; a pair that does not fit is tried again.
    pub(crate) async fn keep_fresh(self: Arc<Self>, shutdown: CancellationToken) {
        let every = Duration::from_millis(self.config.reload_ms.max(100));
        let mut seen = changed_at(&self.config);
        loop {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let now = changed_at(&self.config);
            if now == seen {
                continue;
            }
            match read(&self.config) {
                Ok(fresh) => {
                    self.current.store(Arc::new(fresh));
                    seen = now;
                    tracing::info!("the new certificate is being served");
                }
                Err(error) => {
                    tracing::error!(%error, "the new certificate cannot be used; the old one is served on");
                }
            }
        }
    }
}

fn changed_at(config: &TlsConfig) -> [Option<SystemTime>; 2] {
    [&config.certificate, &config.key].map(|path| path.metadata().and_then(|file| file.modified()).ok())
}

fn read(config: &TlsConfig) -> Result<CertifiedKey, ServerError> {
    let fault = |path: &std::path::Path, problem: &dyn std::fmt::Display| ServerError::Tls {
        detail: format!("{}: {problem}", path.display()),
    };
    let file = File::open(&config.certificate).map_err(|error| fault(&config.certificate, &error))?;
    let chain = CertificateDer::pem_reader_iter(BufReader::new(file))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| fault(&config.certificate, &error))?;
    if chain.is_empty() {
        return Err(fault(&config.certificate, &"there is no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(&config.key).map_err(|error| fault(&config.key, &error))?;
    let key =
        rustls::crypto::ring::sign::any_supported_type(&key).map_err(|error| fault(&config.key, &error))?;
    let certified = CertifiedKey::new(chain, key);
    certified.keys_match().map_err(|error| fault(&config.key, &error))?;
    Ok(certified)
}
