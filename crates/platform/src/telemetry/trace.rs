//! W3C trace context: one trace from the HTTP request through every event to the page.

use std::fmt;

use rand::Rng;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// A trace and the span within it, as in a `traceparent` header of version 00. Carries nothing about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceContext {
    trace: u128,
    span: u64,
    flags: u8,
}

impl TraceContext {
    /// The context of the running task, or a new one.
    pub fn current() -> Self {
        CURRENT.try_with(|context| *context).unwrap_or_else(|_| Self::new())
    }

    /// A new trace.
    #[expect(clippy::disallowed_methods, reason = "trace ids are for reading logs; no result depends on them")]
    pub fn new() -> Self {
        let mut random = rand::rng();
        Self { trace: random.random_range(1..=u128::MAX), span: random.random_range(1..=u64::MAX), flags: 1 }
    }

    /// Reads a `traceparent` header; a missing or malformed one begins a new trace.
    pub fn parse_or_new(text: &str) -> Self {
        Self::parse(text).unwrap_or_default()
    }

    /// Runs `work` in this context.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// The trace's id as 32 hexadecimal digits, for log lines.
    pub fn trace_id(&self) -> String {
        format!("{:032x}", self.trace)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let sizes_fit =
            [(version, 2), (trace, 32), (span, 16), (flags, 2)].iter().all(|(part, size)| part.len() == *size);
        if !sizes_fit || version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let context =
            Self { trace: hex(trace)?, span: hex(span)?.try_into().ok()?, flags: hex(flags)?.try_into().ok()? };
        (context.trace != 0 && context.span != 0).then_some(context)
    }
}

/// Lower-case hexadecimal digits only, as the recommendation demands.
fn hex(text: &str) -> Option<u128> {
    let all_hex = text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    all_hex.then(|| u128::from_str_radix(text, 16).ok())?
}

impl Default for TraceContext {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_comes_back_from_its_own_text() {
        let context = TraceContext::new();
        assert_eq!(TraceContext::parse(&context.to_string()), Some(context));
    }

    #[test]
    fn malformed_and_empty_contexts_begin_a_new_trace() {
        for text in [
            "",
            "00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
            assert_ne!(TraceContext::parse_or_new(text), TraceContext::parse_or_new(text));
        }
    }

    #[tokio::test]
    async fn a_task_sees_the_context_it_runs_in() {
        let context = TraceContext::new();
        assert_eq!(context.scope(async { TraceContext::current() }).await, context);
    }
}
