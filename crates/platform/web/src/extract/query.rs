use axum::extract::{FromRequestParts, OriginalUri};
use http::request::Parts;
use kernel::{Cursor, FieldError, Limit, Page};
use serde::de::DeserializeOwned;

use super::checks::{Checks, Validate, invalid};
use super::json::{explain, named_field};
use crate::respond::Paged;
use crate::{Problem, code};

/// More of a query string than this is refused.
const MAX_QUERY_BYTES: usize = 8 * 1024;

/// Query parameters that were read as a `T` and found valid. Unknown and repeated parameters are
/// refused by name (`?name`); a parameter without a value (`?brand=`) is the same as none.
#[derive(Clone, Copy, Debug)]
pub struct ValidQuery<T>(pub T);

/// Which page of a list is asked for: `?limit=` 1 to 100, 20 when not said, and `?cursor=`.
///
/// For a list without filters; one with filters takes a [`ListQuery`].
#[derive(Clone, Debug, Default, PartialEq, Eq, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items the page may have.
    #[param(value_type = Option<usize>, minimum = 1, maximum = 100, default = 20)]
    pub limit: Limit,
    /// The `next_cursor` of the page before; none for the first page.
    #[param(max_length = 512)]
    pub cursor: Option<String>,
    /// The path and the filters that were asked for, which the link to the next page repeats.
    #[param(ignore)]
    list: String,
}

impl PageQuery {
    /// The page as an answer, with the link to the next one.
    pub fn page<T>(&self, page: Page<T>) -> Paged<T> {
        let separator = if self.list.contains('?') { '&' } else { '?' };
        let next = page
            .next_cursor
            .as_deref()
            .map(|cursor| format!("{}{separator}limit={}&cursor={cursor}", self.list, self.limit.get()));
        Paged { page, next }
    }

    /// The sort key after which the page begins; `None` on the first.
    ///
    /// # Errors
    /// `request.bad_cursor` when this list gave no such cursor.
    pub fn after<K: DeserializeOwned>(&self) -> Result<Option<K>, Problem> {
        self.cursor.as_deref().map(Cursor::decode).transpose().map_err(|error| {
            code::BAD_CURSOR
                .problem("The cursor is not one that this list gave out. Begin with the first page.")
                .caused_by(error)
        })
    }
}

/// A page of a list with filters: [`PageQuery`]'s parameters beside those of `F`.
#[derive(Clone, Debug)]
pub struct ListQuery<F> {
    /// Which page.
    pub page: PageQuery,
    /// Which items.
    pub filter: F,
}

impl<S: Send + Sync, T: DeserializeOwned + Validate> FromRequestParts<S> for ValidQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&pairs(parts)?).map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (page, rest) = split(parts)?;
        let Nothing {} = read(&rest)?;
        Ok(page)
    }
}

impl<S: Send + Sync, F: DeserializeOwned + Validate> FromRequestParts<S> for ListQuery<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let (page, rest) = split(parts)?;
        Ok(Self { page, filter: read(&rest)? })
    }
}

#[derive(serde::Deserialize)]
struct Nothing {}

impl Validate for Nothing {}

type Pairs = Vec<(String, String)>;

/// The parameters that have a value.
fn pairs(parts: &Parts) -> Result<Pairs, Problem> {
    let query = parts.uri.query().unwrap_or_default();
    if query.len() > MAX_QUERY_BYTES {
        let detail = format!("must have at most {MAX_QUERY_BYTES} bytes");
        return Err(invalid(vec![FieldError::new("?", "too_long", detail)]));
    }
    let pairs: Result<Pairs, _> = serde_urlencoded::from_str(query);
    let mut pairs = pairs.map_err(|error| {
        let (code, detail) = explain(&error);
        invalid(vec![FieldError::new("?", code, detail)])
    })?;
    pairs.retain(|(_, value)| !value.is_empty());
    Ok(pairs)
}

fn split(parts: &Parts) -> Result<(PageQuery, Pairs), Problem> {
    let mut checks = Checks::of_query();
    let mut page = PageQuery::default();
    let mut rest = Pairs::new();
    for (name, value) in pairs(parts)? {
        match name.as_str() {
            "limit" => match value.parse().ok().and_then(Limit::new) {
                Some(limit) => page.limit = limit,
                None => checks.refuse("limit", "out_of_range", format!("must be 1 to {}", Limit::MAX)),
            },
            "cursor" if page.cursor.is_some() => checks.refuse("cursor", "duplicate_field", "stands twice"),
            "cursor" => page.cursor = Some(value),
            _ => rest.push((name, value)),
        }
    }
    checks.finish()?;
    let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.path());
    page.list = match serde_urlencoded::to_string(&rest) {
        Ok(filters) if !filters.is_empty() => format!("{path}?{filters}"),
        _ => path.to_owned(),
    };
    Ok((page, rest))
}

fn read<T: DeserializeOwned + Validate>(pairs: &Pairs) -> Result<T, Problem> {
    // The deserializer for forms turns texts into numbers and the like, and works on a text.
    let text = serde_urlencoded::to_string(pairs).unwrap_or_default();
    let mut checks = Checks::of_query();
    let mut track = serde_path_to_error::Track::new();
    let mut unknown = |path: serde_ignored::Path<'_>| {
        checks.unknown(format!("?{path}"));
    };
    let form = serde_urlencoded::Deserializer::new(form_urlencoded::parse(text.as_bytes()));
    let tracked = serde_path_to_error::Deserializer::new(form, &mut track);
    let value = T::deserialize(serde_ignored::Deserializer::new(tracked, &mut unknown)).map_err(|error| {
        let (code, detail) = explain(&error);
        let name = named_field(code, &error).unwrap_or_else(|| track.path().to_string());
        invalid(vec![FieldError::new(format!("?{name}"), code, detail)])
    })?;
    value.validate(&mut checks);
    checks.finish()?;
    Ok(value)
}
