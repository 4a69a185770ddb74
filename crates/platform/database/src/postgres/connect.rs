use deadpool_postgres::Connect;
use futures_util::future::{BoxFuture, select_ok};
use tokio::task::JoinHandle;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Error, Socket};

/// Connects to whichever of several servers is there and fits. All are asked at once, so one that is gone
/// without a word costs no time.
pub(super) struct AnyOf<T> {
    servers: Vec<Config>,
    tls: T,
}

impl<T> AnyOf<T> {
    pub(super) const fn new(servers: Vec<Config>, tls: T) -> Self {
        Self { servers, tls }
    }
}

impl<T> Connect for AnyOf<T>
where
    T: MakeTlsConnect<Socket> + Clone + Send + Sync + 'static,
    T::Stream: Send + Sync,
    T::TlsConnect: Send + Sync,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(&self, _: &Config) -> BoxFuture<'_, Result<(Client, JoinHandle<()>), Error>> {
        let attempts = self.servers.iter().map(|server| {
            let tls = self.tls.clone();
            Box::pin(server.connect(tls))
        });
        let first = select_ok(attempts.collect::<Vec<_>>());
        Box::pin(async move {
            let ((client, connection), _others) = first.await?;
            let carried = tokio::spawn(async move {
                // Whoever uses the connection is told as well.
                if let Err(error) = connection.await {
                    tracing::debug!(error = &error as &dyn std::error::Error, "a connection was lost");
                }
            });
            Ok((client, carried))
        })
    }
}

/// One address for each of the servers that `postgres://user@a:5432,b:5432/souk` names.
pub(super) fn addresses(url: &str) -> Vec<String> {
    let Some((scheme, rest)) = url.split_once("://") else { return vec![url.to_owned()] };
    let (user, rest) = match rest.split_once('@') {
        Some((user, rest)) => (format!("{user}@"), rest),
        None => (String::new(), rest),
    };
    let (hosts, tail) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    hosts.split(',').map(|host| format!("{scheme}://{user}{host}{tail}")).collect()
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn each_server_gets_what_all_share() {
        assert_eq!(
            addresses("postgres://u:p/w,x@a:1,b:2/souk?sslmode=require"),
            ["postgres://u:p/w,x@a:1/souk?sslmode=require", "postgres://u:p/w,x@b:2/souk?sslmode=require"]
        );
        assert_eq!(
            addresses("postgres://a,b?dbname=souk"),
            ["postgres://a?dbname=souk", "postgres://b?dbname=souk"]
        );
        assert_eq!(addresses("postgres://localhost/souk"), ["postgres://localhost/souk"]);
        assert_eq!(addresses("host=a user=souk"), ["host=a user=souk"]);
    }
}
