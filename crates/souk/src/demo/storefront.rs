//! The storefront: the pages of `storefront/`, embedded. They use the public API and nothing else, but
//! for the mailbox.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use include_dir::{Dir, include_dir};
use sha2::{Digest as _, Sha256};
use web::Problem;
use web::code;

use super::loopback;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../storefront");

/// What the browser asks for when somebody opens a page at its address. The script finds out which it is.
const PAGES: [&str; 13] = [
    "/",
    "/shop",
    "/products/{name}",
    "/cart",
    "/checkout",
    "/orders",
    "/orders/{id}",
    "/signin",
    "/signup",
    "/account",
    "/account/verify",
    "/account/recover",
    "/mailbox",
];

/// Everything from here, nothing inline, and no text that becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'; \
                      form-action 'self'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// Addresses of files hold the version of all of them, so what is at one never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The storefront as it is served.
struct Site {
    /// A digest of all files.
    version: String,
    /// The page, whose links lead to this version's files.
    page: String,
    page_tag: String,
    /// Media type and content by path.
    files: HashMap<&'static str, (&'static str, &'static [u8])>,
    public_url: String,
}

/// The pages and what they load.
pub(super) fn routes(public_url: String) -> Router {
    let site = Arc::new(Site::new(public_url));
    let pages = PAGES.iter().fold(Router::new(), |router, path| router.route(path, get(page)));
    pages.route("/storefront/{version}/{*path}", get(file)).with_state(site)
}

impl Site {
    fn new(public_url: String) -> Self {
        let mut paths = Vec::new();
        collect(&FILES, &mut paths);
        paths.sort_unstable();
        let mut digest = Sha256::new();
        let mut files = HashMap::new();
        for (path, content) in paths {
            if let Some(media_type) = media_type(path) {
                digest.update(path.as_bytes());
                digest.update(content);
                files.insert(path, (media_type, content));
            }
        }
        let version: String = hex(&digest.finalize()).chars().take(16).collect();
        let page = page_of(&files, &version);
        let page_tag = format!("\"{version}\"");
        Self { version, page, page_tag, files, public_url }
    }
}

/// All files of `dir`, and of the folders in it, with their paths.
fn collect(dir: &'static Dir<'static>, found: &mut Vec<(&'static str, &'static [u8])>) {
    for file in dir.files() {
        found.extend(file.path().to_str().map(|path| (path, file.contents())));
    }
    for dir in dir.dirs() {
        collect(dir, found);
    }
}

/// What is served, by its ending; anything else is not.
fn media_type(path: &str) -> Option<&'static str> {
    Some(match path.rsplit_once('.')?.1 {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}

/// The page, with links to the files of `version`. Every module is named in it, so that a browser asks
/// for all of them at once and not for one after the other.
fn page_of(files: &HashMap<&'static str, (&'static str, &'static [u8])>, version: &str) -> String {
    let template =
        files.get("index.html").map_or(Cow::Borrowed(""), |(_, html)| String::from_utf8_lossy(html));
    let mut modules: Vec<&str> = files.keys().copied().filter(|path| path.ends_with(".js")).collect();
    modules.sort_unstable();
    let preload: String = modules
        .iter()
        .map(|path| format!("<link rel=\"modulepreload\" href=\"/storefront/{path}\">\n"))
        .collect();
    template
        .replace("<!-- modules -->\n", &preload)
        .replace("\"/storefront/", &format!("\"/storefront/{version}/"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn page(State(site): State<Arc<Site>>, request: Request) -> Response {
    if let Some(elsewhere) = public_address(&site.public_url, request.uri(), request.headers()) {
        return Redirect::temporary(&elsewhere).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-cache"),
        // Links in mails hold tokens.
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (header::ETAG, &site.page_tag),
    ];
    (headers, site.page.clone()).into_response()
}

/// Links in mails and the way back from a bank lead to the public address, and a browser keeps what it
/// knows by address. So who came to this machine by another of its names goes to that one.
fn public_address(public_url: &str, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let public: Uri = public_url.parse().ok()?;
    let came_to = loopback::authority(uri, headers)?;
    let both_here = loopback::is_name(came_to) && loopback::is_name(public.authority()?.as_str());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    (both_here && came_to != public.authority()?.as_str()).then(|| format!("{public_url}{path}"))
}

async fn file(
    State(site): State<Arc<Site>>,
    Path((version, path)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let found = site.files.get(path.as_str()).filter(|_| version == site.version);
    let (media_type, content) = found.ok_or_else(|| {
        code::NOT_FOUND.problem("There is no such file of the storefront now. Load the page again.")
    })?;
    let headers = [
        (header::CONTENT_TYPE, *media_type),
        (header::CACHE_CONTROL, FOR_EVER),
        (header::ETAG, &site.page_tag),
    ];
    let mut response = (headers, *content).into_response();
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(content.len()));
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_module_and_every_link_is_of_this_version() {
        let site = Site::new("http://127.0.0.1:8080".to_owned());
        assert!(site.files.len() > 10);
        for link in site.page.split("\"/storefront/").skip(1) {
            let path = link.split('"').next().unwrap().strip_prefix(&format!("{}/", site.version)).unwrap();
            assert!(site.files.contains_key(path), "{path}");
        }
        for path in site.files.keys().filter(|path| path.ends_with(".js")) {
            assert!(site.page.contains(&format!("/{path}\"")), "{path}");
        }
    }

    #[test]
    fn it_is_small() {
        let site = Site::new(String::new());
        let size: usize = site.files.values().map(|(_, content)| content.len()).sum();
        assert!(size < 320 * 1024, "{size}");
    }

    #[test]
    fn nothing_is_made_into_markup() {
        let site = Site::new(String::new());
        for (path, (_, content)) in &site.files {
            let text = String::from_utf8_lossy(content);
            for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
                assert!(!text.contains(way), "{path} uses {way}");
            }
        }
    }

    #[test]
    fn who_came_by_another_name_of_this_machine_goes_to_the_public_one() {
        let public = "http://127.0.0.1:8080";
        let go = |host: &str| {
            let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_str(host).unwrap())]);
            public_address(public, &"/orders?x=1".parse().unwrap(), &headers)
        };
        assert_eq!(go("localhost:8080").unwrap(), "http://127.0.0.1:8080/orders?x=1");
        assert_eq!(go("127.0.0.1:8080"), None);
        assert_eq!(go("shop.example"), None);
    }
}
