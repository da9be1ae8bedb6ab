//! How long from a submission's request to its page at the receiver, beside the same chain of commits and hops without our
//! logic: in one process, and with a process for each role on NATS and PostgreSQL in containers; beside an import, and
//! beside a patient whose episode is flooded. And what inputs cost that are made to cost much.
//!
//! `cargo bench -p lasegue --bench page_latency [-- one-process | apart | import | neighbour | costly]`. It sends to this machine only and
//! stops by itself.

mod apart;
mod chain;
mod costly;
mod import;
mod measure;
mod neighbour;
mod one_process;

#[tokio::main]
async fn main() {
    let wanted = |name: &str| {
        let mut named = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).peekable();
        named.peek().is_none() || named.any(|argument| argument == name)
    };
    if wanted("one-process") {
        one_process::run().await;
    }
    if wanted("apart") {
        Box::pin(apart::run()).await;
    }
    if wanted("import") {
        Box::pin(import::run()).await;
    }
    if wanted("neighbour") {
        Box::pin(neighbour::run()).await;
    }
    if wanted("costly") {
        Box::pin(costly::run()).await;
    }
}
