use std::fmt;
use std::str::FromStr;

use crate::Rng;

/// The place of a request in a distributed trace: the `traceparent` of W3C Trace Context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    sampled: bool,
}

/// A text that is not a `traceparent` which may be continued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a W3C traceparent")]
pub struct TraceContextError;

const SAMPLED: u8 = 1;
const LEN: usize = 55;

impl TraceContext {
    /// A new trace with its first span.
    pub fn root(sampled: bool, rng: &Rng) -> Self {
        // Zero means "invalid" in both ids, so the lowest bit is always set.
        let trace_id = u128::from_be_bytes(rng.bytes()) | 1;
        Self { trace_id, span_id: new_span_id(rng), sampled }
    }

    /// From ids that are already known; `None` when either is zero, which the standard forbids.
    pub const fn from_ids(trace_id: u128, span_id: u64, sampled: bool) -> Option<Self> {
        if trace_id == 0 || span_id == 0 {
            return None;
        }
        Some(Self { trace_id, span_id, sampled })
    }

    /// The same trace with a new span below this one.
    #[must_use]
    pub fn child(self, rng: &Rng) -> Self {
        Self { span_id: new_span_id(rng), ..self }
    }

    /// The trace's id; `{:032x}` is its text form.
    pub const fn trace_id(self) -> u128 {
        self.trace_id
    }

    /// The span's id; `{:016x}` is its text form.
    pub const fn span_id(self) -> u64 {
        self.span_id
    }

    /// Whether the caller records this trace.
    pub const fn sampled(self) -> bool {
        self.sampled
    }
}

fn new_span_id(rng: &Rng) -> u64 {
    u64::from_be_bytes(rng.bytes()) | 1
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.sampled))
    }
}

impl FromStr for TraceContext {
    type Err = TraceContextError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A later version may append fields, so only version 00 has to end where we stop reading.
        let (head, rest) = text.split_at_checked(LEN).ok_or(TraceContextError)?;
        let mut parts = head.split('-');
        let mut hex = |len: usize| {
            parts
                .next()
                .filter(|part| {
                    part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
                })
                .and_then(|part| u128::from_str_radix(part, 16).ok())
                .ok_or(TraceContextError)
        };
        let (version, trace_id, span_id, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        let ends_well = if version == 0 { rest.is_empty() } else { rest.is_empty() || rest.starts_with('-') };
        if version == 0xff || !ends_well {
            return Err(TraceContextError);
        }
        let span_id = u64::try_from(span_id).map_err(|_| TraceContextError)?;
        Self::from_ids(trace_id, span_id, flags & u128::from(SAMPLED) != 0).ok_or(TraceContextError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn examples_of_the_specification_are_read_and_written() {
        let context: TraceContext = EXAMPLE.parse().unwrap();
        assert_eq!(context.trace_id(), 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!(context.span_id(), 0x00f0_67aa_0ba9_02b7);
        assert!(context.sampled());
        assert_eq!(context.to_string(), EXAMPLE);
        assert!(!EXAMPLE.replace("-01", "-00").parse::<TraceContext>().unwrap().sampled());
        assert!(EXAMPLE.replace("-01", "-03").parse::<TraceContext>().unwrap().sampled());
    }

    #[test]
    fn later_versions_may_append_and_version_zero_may_not() {
        assert!(EXAMPLE.replacen("00", "cc", 1).parse::<TraceContext>().is_ok());
        assert!(format!("{}-what-comes", EXAMPLE.replacen("00", "cc", 1)).parse::<TraceContext>().is_ok());
        assert!(format!("{}.what", EXAMPLE.replacen("00", "cc", 1)).parse::<TraceContext>().is_err());
        assert!(format!("{EXAMPLE}-more").parse::<TraceContext>().is_err());
    }

    #[test]
    fn what_the_specification_forbids_is_refused() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-é1",
        ] {
            assert_eq!(bad.parse::<TraceContext>(), Err(TraceContextError), "{bad}");
        }
    }

    #[test]
    fn a_child_keeps_the_trace_and_its_decision() {
        let rng = Rng::seeded(3);
        let root = TraceContext::root(true, &rng);
        let child = root.child(&rng);
        assert_eq!((child.trace_id(), child.sampled()), (root.trace_id(), true));
        assert_ne!(child.span_id(), root.span_id());
        assert_eq!(child.to_string().parse(), Ok(child));
    }
}
