//! A proxy before PostgreSQL that cuts a connection at the n-th thing that a client asks for, before or after the server
//! has done it, or takes the server away: it hangs up on everybody and answers nobody who calls; or forgets the connections
//! that there are, as a firewall does: nothing comes through them any more, and nobody is told.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// When the connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The server never hears of it.
    Before,
    /// The server has done it and its answer is lost.
    After,
}

/// The proxy.
pub(crate) struct Cutter {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    /// Which request from now on is cut, and how.
    next: Mutex<Option<(usize, Cut)>>,
    /// The server is away.
    silent: watch::Sender<bool>,
    /// How often every connection was forgotten.
    forgotten: watch::Sender<usize>,
}

impl Cutter {
    pub(crate) async fn before(server: u16) -> Self {
        let shared = Arc::new(Shared {
            server,
            next: Mutex::new(None),
            silent: watch::Sender::new(false),
            forgotten: watch::Sender::new(0),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let carrying = shared.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = carrying.clone();
                tokio::spawn(async move { carry(client, &shared).await });
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Cuts at the request `n` from now, counted from 0.
    pub(crate) fn arm(&self, n: usize, cut: Cut) {
        *self.shared.next.lock().expect("nobody panics with it") = Some((n, cut));
    }

    /// No cut any more. True when there was one.
    pub(crate) fn disarm(&self) -> bool {
        self.shared.next.lock().expect("nobody panics with it").take().is_none()
    }

    /// From now on every connection is gone, and new ones are taken and never answered; or they are answered again.
    pub(crate) fn silence(&self, silent: bool) {
        self.shared.silent.send_replace(silent);
    }

    /// Nothing comes any more through the connections of now.
    pub(crate) fn forget(&self) {
        self.shared.forgotten.send_modify(|count| *count += 1);
    }
}

impl Shared {
    /// What happens to the next request.
    fn step(&self) -> Option<Cut> {
        let mut next = self.next.lock().expect("nobody panics with it");
        match *next {
            Some((0, cut)) => {
                *next = None;
                Some(cut)
            }
            Some((n, cut)) => {
                *next = Some((n - 1, cut));
                None
            }
            None => None,
        }
    }
}

async fn carry(client: TcpStream, shared: &Shared) {
    let (mut silent, mut forgotten) = (shared.silent.subscribe(), shared.forgotten.subscribe());
    if *silent.borrow() {
        return std::future::pending().await;
    }
    let Ok(server) = TcpStream::connect(("127.0.0.1", shared.server)).await else { return };
    let ((mut from_client, mut to_client), (mut from_server, mut to_server)) =
        (client.into_split(), server.into_split());
    let mute = AtomicBool::new(false);
    let stays = tokio::select! {
        biased;
        _ = silent.wait_for(|silent| *silent) => false,
        _ = forgotten.changed() => true,
        _ = up(&mut from_client, &mut to_server, shared, &mute) => false,
        _ = down(&mut from_server, &mut to_client, &mute) => false,
    };
    if stays {
        // Both ends are open, and nobody carries what they say.
        std::future::pending::<()>().await;
    }
}

/// Carries what the client asks; a query or a sync ends a request.
async fn up(
    client: &mut OwnedReadHalf,
    server: &mut OwnedWriteHalf,
    shared: &Shared,
    mute: &AtomicBool,
) -> io::Result<()> {
    let greeting = body(client, Vec::new()).await?;
    server.write_all(&greeting).await?;
    loop {
        let message = message(client).await?;
        if matches!(message[0], b'Q' | b'S') {
            match shared.step() {
                Some(Cut::Before) => return Ok(()),
                Some(Cut::After) => mute.store(true, Ordering::SeqCst),
                None => {}
            }
        }
        server.write_all(&message).await?;
    }
}

/// Carries what the server answers, until it has answered what is cut.
async fn down(server: &mut OwnedReadHalf, client: &mut OwnedWriteHalf, mute: &AtomicBool) -> io::Result<()> {
    loop {
        let message = message(server).await?;
        match mute.load(Ordering::SeqCst) {
            true if message[0] == b'Z' => return Ok(()),
            true => {}
            false => client.write_all(&message).await?,
        }
    }
}

/// A message with its type.
async fn message(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let kind = from.read_u8().await?;
    body(from, vec![kind]).await
}

/// The rest of a message that begins with `head`: its length and so many bytes.
async fn body(from: &mut OwnedReadHalf, mut head: Vec<u8>) -> io::Result<Vec<u8>> {
    let length = from.read_u32().await?;
    head.extend(length.to_be_bytes());
    let start = head.len();
    head.resize(start + (length as usize).saturating_sub(4), 0);
    from.read_exact(&mut head[start..]).await?;
    Ok(head)
}
