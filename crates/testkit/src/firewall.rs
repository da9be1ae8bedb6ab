//! A firewall between a client and a server of this machine, which forgets connections as real ones do: nothing passes on
//! them any more, and nobody is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A firewall in front of one port. It lives as long as the test.
#[derive(Debug)]
pub struct Firewall {
    port: u16,
    target: Arc<AtomicU16>,
    forgotten: watch::Sender<()>,
}

impl Firewall {
    /// Lets everything pass to `target`.
    ///
    /// # Panics
    /// When the machine has no free port.
    pub async fn before(target: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("the machine has a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let forgotten = watch::Sender::new(());
        let forgetting = forgotten.subscribe();
        let target = Arc::new(AtomicU16::new(target));
        let leads_to = target.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut forgetting = forgetting.clone();
                forgetting.mark_unchanged();
                tokio::spawn(pass(client, leads_to.load(Ordering::SeqCst), forgetting));
            }
        });
        Self { port, target, forgotten }
    }

    /// Where clients connect to.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// From now on new connections go to another `target`. Those that there are stay.
    pub fn lead_to(&self, target: u16) {
        self.target.store(target, Ordering::SeqCst);
    }

    /// From now on nothing passes on the connections that there are. New ones are let through.
    pub fn forget(&self) {
        self.forgotten.send_replace(());
    }
}

/// Passes on what both sides say until the connection is forgotten; then holds it open and silent.
async fn pass(mut client: TcpStream, target: u16, mut forgotten: watch::Receiver<()>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", target)).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => {}
        Ok(()) = forgotten.changed() => std::future::pending().await,
    }
}
