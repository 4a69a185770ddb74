use std::collections::BTreeMap;

use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Type};
use utoipa::openapi::{Content, Header, Ref, RefOr, Response, ResponseBuilder};

use crate::{Code, Codes, code};

/// Declares the errors of an endpoint as a type for `#[utoipa::path(responses(…, Errors))]`:
/// one response per HTTP status, whose `code` is one of exactly the codes that are listed. What
/// any endpoint may answer ([`code::ANY`](crate::code::ANY)) is added by itself.
///
/// ```
/// use web::{Code, code};
///
/// const OUT_OF_STOCK: Code = Code::new("orders.out_of_stock", 409, "Some lines cannot be had.");
///
/// web::errors!(Errors: code::BODY, code::CALLER, OUT_OF_STOCK);
///
/// #[utoipa::path(post, path = "/v1/checkouts", responses((status = 201), Errors))]
/// async fn place() {}
/// ```
#[macro_export]
macro_rules! errors {
    ($(#[$attribute:meta])* $visibility:vis $name:ident $(: $($code:expr),* $(,)?)?) => {
        $(#[$attribute])*
        /// The errors of this endpoint, for the API document.
        $visibility enum $name {}

        impl $crate::__private::utoipa::IntoResponses for $name {
            fn responses() -> ::std::collections::BTreeMap<
                ::std::string::String,
                $crate::__private::utoipa::openapi::RefOr<$crate::__private::utoipa::openapi::Response>,
            > {
                $crate::openapi::responses(&[$($(&$code as &dyn $crate::Codes),*)?])
            }
        }
    };
}

/// One response per status for the codes of `lists` and those that any endpoint may answer.
#[doc(hidden)]
pub fn responses(lists: &[&dyn Codes]) -> BTreeMap<String, RefOr<Response>> {
    let any = by_status(code::ANY);
    by_status(lists.iter().flat_map(|list| list.codes()).chain(code::ANY))
        .into_iter()
        .map(|(status, codes)| {
            let shared = any.get(&status) == Some(&codes);
            let response = if shared {
                RefOr::Ref(Ref::from_response_name(shared_name(status)))
            } else {
                RefOr::T(response(status, &codes))
            };
            (status.to_string(), response)
        })
        .collect()
}

/// The responses that any endpoint may give, by their name in the document.
pub(super) fn shared() -> impl Iterator<Item = (String, RefOr<Response>)> {
    by_status(code::ANY)
        .into_iter()
        .map(|(status, codes)| (shared_name(status), RefOr::T(response(status, &codes))))
}

fn shared_name(status: u16) -> String {
    format!("Any{status}")
}

type CodesByName = BTreeMap<&'static str, Code>;

fn by_status<'a>(codes: impl IntoIterator<Item = &'a Code>) -> BTreeMap<u16, CodesByName> {
    let mut by_status = BTreeMap::<u16, CodesByName>::new();
    for code in codes {
        by_status.entry(code.status).or_default().insert(code.code, *code);
    }
    by_status
}

fn response(status: u16, codes: &CodesByName) -> Response {
    let lines: Vec<String> = codes
        .values()
        .map(|code| format!("- [`{0}`](/docs/errors/{0}): {1}", code.code, code.title))
        .collect();
    let only_these = ObjectBuilder::new()
        .property(
            "code",
            ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes.keys().copied())),
        )
        .required("code");
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Problem")).item(only_these);
    let mut response = ResponseBuilder::new()
        .description(lines.join("\n"))
        .content("application/problem+json", Content::new(Some(schema)));
    if matches!(status, 429 | 503) {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
        let mut header = Header::new(seconds);
        header.description = Some("Seconds after which it is worth trying again.".to_owned());
        response = response.header("Retry-After", header);
    }
    response.build()
}
