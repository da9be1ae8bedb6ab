//! Where background work is computed: on few threads, which give way to all others of the machine.
//!
//! A record of an import takes milliseconds of computing, and dozens of them are under way. On the threads of what is live
//! each step of a page would wait behind some of them.

use std::io;
use std::sync::LazyLock;
use std::thread::available_parallelism;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio_util::task::AbortOnDropHandle;

use crate::audit;
use crate::detached::outcome;
use crate::telemetry::TraceContext;

/// How far the threads' priority is below that of all others. There are 19 steps; half-way down a thread has a tenth of the
/// share of others as long as these want the core, and all of it otherwise.
const LOWER: i32 = 10;

static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    let cores = available_parallelism().map_or(1, usize::from);
    let threads = Builder::new_multi_thread()
        .worker_threads((cores / 2).max(1))
        .thread_name("lasegue-background")
        .on_thread_start(give_way)
        .enable_all()
        .build();
    threads.inspect_err(|error| {
        let error = crate::chain(error);
        tracing::error!(error, "no threads for background work: it shares those of all other");
    })
});

/// On Linux a thread has a priority of its own; elsewhere the whole process would give way.
fn give_way() {
    if cfg!(target_os = "linux")
        && let Err(error) = rustix::process::nice(LOWER)
    {
        tracing::warn!(error = crate::chain(&error), "background work has the priority of all other");
    }
}

/// Where to spawn background work.
pub(crate) fn handle() -> Handle {
    RUNTIME.as_ref().map_or_else(|_| Handle::current(), |runtime| runtime.handle().clone())
}

/// Runs background work, in the trace of the caller and as a part of the call that they answer. It ends when nobody waits for it any more.
pub async fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> T {
    let work = TraceContext::current().scope(audit::within(audit::current(), work));
    outcome(AbortOnDropHandle::new(handle().spawn(work)).await).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thread() -> Option<String> {
        std::thread::current().name().map(str::to_owned)
    }

    #[tokio::test]
    async fn background_work_runs_on_threads_of_its_own_in_the_trace_of_its_caller() {
        let trace = TraceContext::new();
        let (name, within) = trace.scope(run(async { (thread(), TraceContext::current()) })).await;
        assert_eq!(name.as_deref(), Some("lasegue-background"));
        assert_eq!(within, trace);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_alone_give_way() {
        let priority = || rustix::process::getpriority_process(None).expect("a thread knows its own");
        let usual = priority();
        assert_eq!(run(async move { priority() }).await, (usual + LOWER).min(19));
        assert_eq!(priority(), usual);
    }

    #[tokio::test]
    async fn a_panic_in_background_work_is_its_callers() {
        let caller = tokio::spawn(run(async { panic!("on purpose") }));
        assert!(caller.await.expect_err("it panics").is_panic());
    }

    #[tokio::test]
    async fn background_work_that_nobody_waits_for_ends() {
        let (held, ended) = tokio::sync::oneshot::channel::<()>();
        let caller = tokio::spawn(run(async move {
            let _held = held;
            std::future::pending::<()>().await;
        }));
        caller.abort();
        assert!(ended.await.is_err(), "what it held was dropped");
    }
}
