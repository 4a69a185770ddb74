//! The log: a layer that collects fields, redacts every one of them, and writes one line at a time.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use kernel::Clock;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::redact;

/// How a line is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// For people, with colours when asked for.
    Text { colour: bool },
    /// One JSON object.
    Json,
}

/// Writes each event with the fields of the spans around it. No field reaches the writer but
/// through [`redact::field`].
pub(crate) struct LogLayer<W> {
    layout: Layout,
    clock: Clock,
    writer: W,
}

impl<W> LogLayer<W> {
    pub(crate) fn new(layout: Layout, clock: Clock, writer: W) -> Self {
        Self { layout, clock, writer }
    }
}

/// Redacted fields in the order in which they were recorded.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn put(&mut self, field: &Field, plain: Option<Value>, text: &str) {
        let kept = redact::field(field.name(), text);
        // A number stays a number unless it gave something away.
        let value = if kept == text { plain } else { None };
        self.0.insert(field.name().to_owned(), value.unwrap_or_else(|| kept.into_owned().into()));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, None, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, None, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Some(value.into()), &value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, Some(value.into()), &value.to_string());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Some(value.into()), if value { "true" } else { "false" });
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Some(value.into()), &value.to_string());
    }
}

impl<S, W> Layer<S> for LogLayer<W>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    W: for<'writer> MakeWriter<'writer> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().replace(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = fields.0.remove("message");
        let mut line = Line { message, fields: fields.0, spans: Map::new(), path: String::new() };
        for span in context.event_scope(event).into_iter().flatten() {
            if !line.path.is_empty() {
                line.path.insert(0, ':');
            }
            line.path.insert_str(0, span.name());
            if let Some(Fields(fields)) = span.extensions().get::<Fields>() {
                // The innermost span is seen first, and its word counts.
                for (name, value) in fields {
                    line.spans.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        let written = match self.layout {
            Layout::Json => line.json(&self.clock, level, target),
            Layout::Text { colour } => line.text(&self.clock, level, target, colour),
        };
        // A log that cannot be written has nowhere to be reported.
        let _ = self.writer.make_writer_for(event.metadata()).write_all(written.as_bytes());
    }
}

/// One event, redacted.
struct Line {
    message: Option<Value>,
    fields: Map<String, Value>,
    spans: Map<String, Value>,
    path: String,
}

impl Line {
    fn json(self, clock: &Clock, level: Level, target: &str) -> String {
        let mut out = self.spans;
        out.extend(self.fields);
        out.insert("timestamp".to_owned(), clock.now().to_string().into());
        out.insert("level".to_owned(), level.as_str().to_ascii_lowercase().into());
        out.insert("target".to_owned(), target.into());
        if let Some(message) = self.message {
            out.insert("message".to_owned(), message);
        }
        if !self.path.is_empty() {
            out.insert("span".to_owned(), self.path.into());
        }
        let mut text = Value::Object(out).to_string();
        text.push('\n');
        text
    }

    fn text(self, clock: &Clock, level: Level, target: &str, colour: bool) -> String {
        let mut out = format!("{} ", clock.now());
        // Writing to a String cannot fail.
        let _ = match colour_of(level).filter(|_| colour) {
            Some(code) => write!(out, "\x1b[{code}m{level:>5}\x1b[0m {target}: "),
            None => write!(out, "{level:>5} {target}: "),
        };
        if let Some(message) = self.message {
            push_value(&mut out, &message, false);
        }
        for (name, value) in self.fields.iter().chain(&self.spans) {
            let _ = write!(out, " {name}=");
            push_value(&mut out, value, true);
        }
        out.push('\n');
        out
    }
}

fn colour_of(level: Level) -> Option<u8> {
    match level {
        Level::ERROR => Some(31),
        Level::WARN => Some(33),
        Level::INFO => Some(32),
        _ => None,
    }
}

/// Control characters are escaped, so that nobody who is logged can begin a line of their own or
/// speak to the terminal.
fn push_value(out: &mut String, value: &Value, quote_blanks: bool) {
    let Value::String(text) = value else {
        let _ = write!(out, "{value}");
        return;
    };
    let quoted = quote_blanks && (text.is_empty() || text.contains([' ', '"', '=']));
    if quoted {
        let _ = write!(out, "{text:?}");
        return;
    }
    for c in text.chars() {
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
}
