//! Where a person may be sent back to, so that nobody can use us to send people elsewhere.

use http::Uri;
use http::uri::Scheme;

/// The most characters of such an address.
pub(crate) const MAX_LEN: usize = 2_000;

/// The origins whose pages a person may be sent back to: the shop's own, and those that were configured.
#[derive(Clone, Debug)]
pub(crate) struct ReturnOrigins(Vec<Origin>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    scheme: String,
    host: String,
    port: u16,
}

impl ReturnOrigins {
    /// The origin of `public_url` and those of `others`; what is not an origin allows nothing.
    pub(crate) fn new(public_url: &str, others: &[String]) -> Self {
        let all = std::iter::once(public_url).chain(others.iter().map(String::as_str));
        Self(all.filter_map(origin).collect())
    }

    /// Whether a person may be sent to `url`: a path of the shop itself, or an address at one of the
    /// origins.
    pub(crate) fn allow(&self, url: &str) -> bool {
        // Browsers drop or turn around some of what is refused here, and then go elsewhere.
        if url.len() > MAX_LEN || !url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') {
            return false;
        }
        if url.starts_with('/') {
            return !url.starts_with("//");
        }
        origin(url).is_some_and(|origin| self.0.contains(&origin))
    }
}

/// Whether `text` is an origin such as `https://m.shop.example`.
pub(crate) fn is_origin(text: &str) -> bool {
    let path = text.parse::<Uri>().ok().is_some_and(|uri| uri.path() == "/" && uri.query().is_none());
    path && !text.ends_with('/') && origin(text).is_some()
}

fn origin(url: &str) -> Option<Origin> {
    let uri: Uri = url.parse().ok()?;
    let authority = uri.authority()?;
    if authority.as_str().contains('@') {
        return None;
    }
    let scheme = uri.scheme()?;
    let usual = if *scheme == Scheme::HTTPS {
        443
    } else if *scheme == Scheme::HTTP {
        80
    } else {
        return None;
    };
    Some(Origin {
        scheme: scheme.as_str().to_ascii_lowercase(),
        host: authority.host().to_ascii_lowercase(),
        port: authority.port_u16().unwrap_or(usual),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_shop_and_what_was_configured_is_allowed() {
        let origins = ReturnOrigins::new("https://shop.example", &["https://m.shop.example:8443".into()]);
        for url in [
            "/orders/ord_1?x=1#y",
            "/",
            "https://shop.example/orders",
            "https://SHOP.example:443/",
            "https://m.shop.example:8443/done",
        ] {
            assert!(origins.allow(url), "{url}");
        }
        for url in [
            "",
            "orders",
            "//evil.example/",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example/?https://shop.example",
            "https://shop.example.evil.example/",
            "https://shop.example@evil.example/",
            "https://user:pass@shop.example/",
            "https://shop.example\\@evil.example/",
            "http://shop.example/",
            "https://shop.example:8443/",
            "https://m.shop.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "/with space",
            "/\u{202e}",
            "/line\nbreak",
        ] {
            assert!(!origins.allow(url), "{url}");
        }
        assert!(!origins.allow(&format!("/{}", "x".repeat(MAX_LEN))));
    }

    #[test]
    fn an_origin_has_no_path() {
        assert!(is_origin("https://m.shop.example"));
        assert!(is_origin("http://127.0.0.1:3000"));
        for text in ["https://m.shop.example/", "https://m.shop.example/x", "m.shop.example", "ftp://x", ""] {
            assert!(!is_origin(text), "{text}");
        }
    }
}
