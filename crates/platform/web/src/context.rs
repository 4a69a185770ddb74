use std::future::Future;
use std::time::Duration;

use kernel::TraceContext;
use tokio::time::Instant;

use crate::RequestId;

tokio::task_local! {
    static CURRENT: RequestContext;
}

/// What every part of a request's work may need to know about the request. It follows the task:
/// problems name the request, and calls to other services carry its deadline and its trace on.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// Names the request in answers, logs and calls to other services.
    pub request_id: RequestId,
    /// The request's place in its trace (W3C Trace Context), which calls to other services carry on.
    pub trace: TraceContext,
    /// When nobody waits for the answer any more.
    pub deadline: Option<Instant>,
}

impl RequestContext {
    /// The context of the request that this task works for, if it works for one.
    pub fn current() -> Option<Self> {
        CURRENT.try_with(Self::clone).ok()
    }

    /// Runs `work` as work for this request.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// How long somebody still waits for the answer; `None` when nobody said.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}
