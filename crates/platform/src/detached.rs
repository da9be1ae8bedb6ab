//! Work that goes on when whoever asked for it is gone: what arrived whole is not lost with the line.

use tokio::task::JoinError;

use crate::audit;
use crate::telemetry::TraceContext;

/// Runs work to its end, in the trace of the caller and as a part of the call that they answer, even when nobody waits for
/// it any more.
pub async fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let work = TraceContext::current().scope(audit::within(audit::current(), work));
    outcome(tokio::spawn(work).await).await
}

/// Computes what takes its time where it keeps nobody else waiting.
pub async fn compute<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    outcome(tokio::task::spawn_blocking(work).await).await
}

/// What came of a task; its panic is its caller's.
pub(crate) async fn outcome<T>(ended: Result<T, JoinError>) -> T {
    match ended {
        Ok(result) => result,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // Its threads end with the process alone.
            Err(_) => std::future::pending().await,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_goes_on_when_its_caller_is_gone() {
        let (go, gone) = tokio::sync::oneshot::channel::<()>();
        let (done, is_done) = tokio::sync::oneshot::channel();
        let caller = tokio::spawn(run(async move {
            gone.await.expect("it is told");
            done.send(TraceContext::current()).expect("somebody waits");
        }));
        tokio::task::yield_now().await;
        caller.abort();
        caller.await.expect_err("it was ended");
        go.send(()).expect("the work goes on");
        is_done.await.expect("the work comes to its end");
    }

    #[tokio::test]
    async fn it_runs_in_the_trace_of_its_caller_and_its_panic_is_theirs() {
        let trace = TraceContext::new();
        assert_eq!(trace.scope(run(async { TraceContext::current() })).await, trace);
        let caller = tokio::spawn(run(async { panic!("on purpose") }));
        assert!(caller.await.expect_err("it panics").is_panic());
    }
}
