//! Receivers that send the page elsewhere, answer without end or cannot show who they are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lasegue_testkit::wait::eventually;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use uuid::Uuid;

use super::*;
use crate::ids::PageId;
use crate::page::Attempt;

/// Somebody who listens.
struct Receiver {
    address: String,
    /// Pages that came in.
    asked: Arc<AtomicUsize>,
    /// The last sender has gone.
    left: Arc<AtomicBool>,
}

/// Answers each page with `head`, and then with `more` for as long as somebody takes it.
async fn receiver(head: impl Into<String>, more: &'static str, tls: Option<TlsAcceptor>) -> Receiver {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("the machine has a free port");
    let address = listener.local_addr().expect("a bound socket has an address").to_string();
    let (asked, left) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
    let (head, counts) = (head.into(), (asked.clone(), left.clone()));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            match &tls {
                None => answer(socket, &head, more, &counts).await,
                Some(tls) => {
                    if let Ok(socket) = tls.accept(socket).await {
                        answer(socket, &head, more, &counts).await;
                    }
                }
            }
        }
    });
    Receiver { address, asked, left }
}

async fn answer(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    head: &str,
    more: &str,
    (asked, left): &(Arc<AtomicUsize>, Arc<AtomicBool>),
) {
    let mut room = vec![0; 1 << 16];
    if socket.read(&mut room).await.is_ok_and(|read| read > 0) {
        asked.fetch_add(1, Ordering::SeqCst);
        let mut told = socket.write_all(head.as_bytes()).await;
        while told.is_ok() && !more.is_empty() {
            told = socket.write_all(more.as_bytes()).await;
        }
        while told.is_ok() && socket.read(&mut room).await.is_ok_and(|read| read > 0) {}
        left.store(true, Ordering::SeqCst);
    }
}

impl Receiver {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    async fn page(&self, scheme: &str) -> Result<(), Failure> {
        lasegue_platform::tls::install();
        let url = Url::parse(&format!("{scheme}://{}/page", self.address)).expect("an address");
        let (now, base) = (DateTime::UNIX_EPOCH, Url::parse("https://lasegue.example").expect("an address"));
        let page = PageId(Uuid::nil());
        let attempt = Attempt { page, lines: BTreeMap::new(), number: 1, possible_duplicate: false };
        let webhook = Webhook::new(client().expect("a client can be made"), url, "quiet".into());
        webhook.send(&Page::new(&attempt, &base, now)).await
    }
}

#[tokio::test]
async fn a_page_goes_where_it_was_to_go_and_nowhere_else() {
    for status in [301, 302, 303, 307, 308] {
        let other = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", None).await;
        let moved =
            format!("HTTP/1.1 {status} Moved\r\nlocation: http://{}/page\r\ncontent-length: 0\r\n\r\n", other.address);
        let receiver = receiver(moved, "", None).await;
        assert_eq!(receiver.page("http").await, Err(Failure::Refused), "{status}");
        assert_eq!((receiver.asked(), other.asked()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_a_receipt_and_is_not_read() {
    let receiver =
        receiver("HTTP/1.1 200 OK\r\ncontent-length: 99999999999999\r\n\r\n", "xxxxxxxxxxxxxxxx", None).await;
    assert_eq!(receiver.page("http").await, Ok(()));
    eventually("the receiver is left", || async { receiver.left.load(Ordering::SeqCst) }).await;
}

#[tokio::test]
async fn an_answer_that_never_begins_or_whose_head_never_ends_is_none() {
    let silent = receiver("HTTP/1.1 200 OK\r\n", "", None).await;
    assert_eq!(silent.page("http").await, Err(Failure::Timeout));
    let endless = receiver("HTTP/1.1 200 OK\r\n", "x: y\r\n", None).await;
    assert_eq!(endless.page("http").await, Err(Failure::Broken));
}

#[tokio::test]
async fn nobody_who_signed_their_own_certificate_is_told_a_page() {
    lasegue_platform::tls::install();
    let certificate = include_bytes!("../../../tests/self-signed/certificate.der").to_vec().into();
    let key = PrivateKeyDer::try_from(include_bytes!("../../../tests/self-signed/key.der").to_vec()).expect("a key");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    let tls = TlsAcceptor::from(Arc::new(config.expect("they belong together")));
    let receiver = receiver("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "", Some(tls)).await;
    assert_eq!(receiver.page("https").await, Err(Failure::Unreachable));
    assert_eq!(receiver.asked(), 0);
}
