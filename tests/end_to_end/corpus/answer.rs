//! Sending a request as it stands, and the part of its answer that must be the same everywhere.

use std::collections::BTreeMap;
use std::fmt;

use lasegue_testkit::installation::Installation;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::calls::{Call, ROLES};

/// The headers of an answer that say something; the others name the service and the moment.
const TELLING: [&str; 6] = ["content-type", "allow", "etag", "location", "retry-after", "www-authenticate"];
/// As much of a body as a failing test shows.
const SHOWN: usize = 400;

/// An answer, masked.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body: String = self.body.chars().take(SHOWN).collect();
        write!(f, "{} {:?} {body}", self.status, self.headers)
    }
}

/// Sends requests to one installation, over a connection for each.
pub(super) struct Sender {
    address: String,
    tokens: Vec<(&'static str, String)>,
}

impl Sender {
    pub(super) fn of(place: &impl Installation) -> Self {
        let url = place.caller().url;
        let address = url.strip_prefix("http://").unwrap_or(&url).to_owned();
        Self { address, tokens: ROLES.map(|role| (role, place.token_of(role, "dr-a"))).to_vec() }
    }

    /// Sends a call about `episode` under a request id of its own.
    pub(super) async fn send(&self, number: usize, call: &Call, episode: &str) -> Answer {
        let token = self.tokens.iter().find(|(role, _)| *role == call.role);
        let head = call.head(number, &self.address, token.map(|(_, token)| token.as_str()), episode);
        let mut stream = TcpStream::connect(&self.address).await.expect("it listens");
        // An answer may come before all of the body is read, and end the connection.
        let _ = stream.write_all(&[head.as_bytes(), &call.body].concat()).await;
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes).await;
        parse(&bytes)
    }
}

fn parse(bytes: &[u8]) -> Answer {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&*text, ""));
    let status: u16 = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let fields = fields.map(|(name, value)| (name.to_lowercase(), value));
    // Only a 405 must say what is allowed; elsewhere it depends on the layer that answers.
    let fields = fields.filter(|(name, _)| name != "allow" || status == 405);
    let telling = fields.filter(|(name, _)| TELLING.contains(&&**name));
    let headers: BTreeMap<_, _> = telling.map(|(name, value)| (name, masked(value))).collect();
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { unchunked(body) } else { body.to_owned() };
    Answer { status, headers, body: masked(&body) }
}

fn unchunked(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).unwrap_or_default();
        let Some(chunk) = rest.get(..size).filter(|_| size > 0) else { break };
        whole.push_str(chunk);
        body = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

/// A text without our ids and without what only clocks give: instants finer than a second, and versions.
fn masked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(length) = instant(rest) {
            out.push_str("<now>");
            rest = &rest[length..];
        } else if let Some(length) = version(rest).filter(|_| !out.ends_with(|c: char| c.is_ascii_digit())) {
            out.push_str("<version>");
            rest = &rest[length..];
        } else if is_id(rest) {
            out.push_str("<id>");
            rest = &rest[36..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// The length of a version at the beginning of a text: milliseconds since 1970, as long as they are today.
fn version(text: &str) -> Option<usize> {
    const DIGITS: usize = 13;
    (text.bytes().take_while(u8::is_ascii_digit).count() == DIGITS).then_some(DIGITS)
}

fn is_id(text: &str) -> bool {
    let is_part = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    text.len() >= 36 && text.bytes().take(36).enumerate().all(is_part)
}

/// The length of an instant with a fraction of a second at the beginning of a text.
fn instant(text: &str) -> Option<usize> {
    const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd.";
    let fits = |(shape, byte): (&u8, u8)| if *shape == b'd' { byte.is_ascii_digit() } else { *shape == byte };
    let begins = text.len() > SHAPE.len() && SHAPE.iter().zip(text.bytes()).all(fits);
    let fraction = text.bytes().skip(SHAPE.len()).take_while(u8::is_ascii_digit).count();
    let end = SHAPE.len() + fraction;
    let zone = if text.get(end..)?.starts_with('Z') { 1 } else { 6 };
    (begins && fraction > 0).then_some((end + zone).min(text.len()))
}
