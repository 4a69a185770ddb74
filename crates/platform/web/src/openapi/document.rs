use http::StatusCode;
use utoipa::PartialSchema as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, Info, OpenApi, PathItem, RefOr, Schema, Server};

/// What the document says about the API as a whole.
#[derive(Clone, Debug)]
pub struct Description {
    /// Its title.
    pub title: String,
    /// Its version.
    pub version: String,
    /// A few sentences in Markdown.
    pub text: String,
    /// Where it answers; `/` for wherever the document came from.
    pub server: String,
}

/// Two services mean different things by one name, and the document would show one of them for both.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two schemas are called {name}: give one of them another name with `#[schema(as = …)]`")]
pub struct Contradiction {
    /// The name in `components/schemas`.
    pub name: String,
}

/// One document of the `parts` that the services' routers bring along, always the same for the
/// same parts.
///
/// # Errors
/// When two parts mean different things by one name.
pub fn assemble(
    description: &Description,
    parts: impl IntoIterator<Item = OpenApi>,
) -> Result<OpenApi, Contradiction> {
    let mut info = Info::new(&description.title, &description.version);
    info.description = Some(description.text.clone());
    let mut document = OpenApi::new(info, utoipa::openapi::Paths::new());
    document.servers = Some(vec![Server::new(&description.server)]);
    let mut bearer = Http::new(HttpAuthScheme::Bearer);
    bearer.bearer_format = Some("JWT".to_owned());
    bearer.description = Some(
        "An access token of a customer, a member of the staff or a seller; each operation says whose."
            .to_owned(),
    );
    document.components = Some(
        ComponentsBuilder::new()
            .security_scheme("bearer", SecurityScheme::Http(bearer))
            .schema("Problem", problem_schema())
            .schema("FieldError", kernel::FieldError::schema())
            .responses_from_iter(super::responses::shared())
            .build(),
    );
    for part in parts {
        agree(&document, &part)?;
        document.merge(part);
    }
    document.paths.paths.values_mut().flat_map(operations).for_each(describe_responses);
    Ok(document)
}

/// Merging keeps the first schema of a name, so the second must be the same.
fn agree(document: &OpenApi, part: &OpenApi) -> Result<(), Contradiction> {
    let (Some(known), Some(new)) = (&document.components, &part.components) else { return Ok(()) };
    let differs = |(name, schema): &(&String, &RefOr<Schema>)| {
        known.schemas.get(*name).is_some_and(|known| known != *schema)
    };
    match new.schemas.iter().find(differs) {
        Some((name, _)) => Err(Contradiction { name: name.clone() }),
        None => Ok(()),
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, options, head, patch, trace, .. } = item;
    [get, put, post, delete, options, head, patch, trace].into_iter().filter_map(Option::as_mut)
}

/// OpenAPI wants a description of every response; the status says it where the endpoint does not.
fn describe_responses(operation: &mut Operation) {
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            let status = status.parse().ok().and_then(|status| StatusCode::from_u16(status).ok());
            response.description =
                status.and_then(|status| status.canonical_reason()).unwrap_or("Answer").to_owned();
        }
    }
}

/// The document as JSON with its members sorted, so that it is the same byte for byte.
///
/// # Errors
/// When the document has no JSON form, which is a fault in a schema.
pub fn to_json(document: &OpenApi) -> Result<String, serde_json::Error> {
    let mut value = serde_json::to_value(document)?;
    super::refine::refine(&mut value);
    value.sort_all_objects();
    serde_json::to_string_pretty(&value)
}

/// RFC 9457's document with our own members.
fn problem_schema() -> RefOr<Schema> {
    use utoipa::openapi::schema::{
        AdditionalProperties, ArrayBuilder, ObjectBuilder, Ref, SchemaFormat, Type,
    };
    let text =
        |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    ObjectBuilder::new()
        .description(Some("What went wrong (RFC 9457)."))
        .property(
            "type",
            text("The page that explains the code.")
                .format(Some(SchemaFormat::Custom("uri-reference".to_owned()))),
        )
        .property("title", text("The code in words."))
        .property(
            "status",
            ObjectBuilder::new().schema_type(Type::Integer).description(Some("The HTTP status.")),
        )
        .property("detail", text("What happened and what to do, for a person."))
        .property("code", text("The stable code; programs decide by it."))
        .property("request_id", text("Names this request in our logs."))
        .property(
            "errors",
            ArrayBuilder::new()
                .items(Ref::from_schema_name("FieldError"))
                .description(Some("What was wrong with which field.")),
        )
        .required("type")
        .required("title")
        .required("status")
        .required("detail")
        .required("code")
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .into()
}
