//! Where a trace crosses a process: the `traceparent` field of HTTP, and the span in hand.

use http::{HeaderMap, HeaderValue};
use kernel::TraceContext;
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

const TRACEPARENT: &str = "traceparent";

/// The caller's place in its trace; `None` when it sent none, several, or one that is malformed,
/// and then a new trace begins.
pub fn extract(headers: &HeaderMap) -> Option<TraceContext> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    only.to_str().ok()?.parse().ok()
}

/// Tells the next process its place in the trace.
pub fn inject(context: TraceContext, headers: &mut HeaderMap) {
    // The text form is hexadecimal digits and hyphens, which every header value may hold.
    if let Ok(value) = HeaderValue::try_from(context.to_string()) {
        headers.insert(TRACEPARENT, value);
    }
}

/// Makes `parent` the parent of `span`, which must be new. Nothing happens when nothing is traced.
pub fn continue_trace(span: &Span, parent: TraceContext) {
    let flags = if parent.sampled() { TraceFlags::SAMPLED } else { TraceFlags::NOT_SAMPLED };
    let remote = SpanContext::new(
        TraceId::from(parent.trace_id()),
        SpanId::from(parent.span_id()),
        flags,
        true,
        TraceState::NONE,
    );
    // Refused only when no traces are collected or the span has already begun.
    let _ = span.set_parent(Context::new().with_remote_span_context(remote));
}

/// The place of `span` in its trace; `None` when nothing is traced.
pub fn trace_of(span: &Span) -> Option<TraceContext> {
    let context = span.context();
    let span = context.span();
    let place = span.span_context();
    let trace_id = u128::from_be_bytes(place.trace_id().to_bytes());
    let span_id = u64::from_be_bytes(place.span_id().to_bytes());
    TraceContext::from_ids(trace_id, span_id, place.is_sampled())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_context_crosses_in_the_header() {
        let context: TraceContext = EXAMPLE.parse().unwrap();
        let mut headers = HeaderMap::new();
        inject(context, &mut headers);
        assert_eq!(headers["traceparent"], EXAMPLE);
        assert_eq!(extract(&headers), Some(context));
    }

    #[test]
    fn two_or_malformed_fields_begin_a_new_trace() {
        let mut headers = HeaderMap::new();
        headers.append("traceparent", HeaderValue::from_static(EXAMPLE));
        headers.append("traceparent", HeaderValue::from_static(EXAMPLE));
        assert_eq!(extract(&headers), None);
        headers.insert("traceparent", HeaderValue::from_static("00-zz"));
        assert_eq!(extract(&headers), None);
        assert_eq!(extract(&HeaderMap::new()), None);
    }
}
