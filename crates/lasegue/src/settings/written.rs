//! Numbers and addresses, refused with what is expected.

use std::fmt;
use std::net::SocketAddr;

use serde::Deserializer;
use serde::de::{Error, Unexpected, Visitor};

/// What is expected of an address.
const SOCKET: &str = "an IP address and a port, such as 127.0.0.1:8080";

/// Where to listen.
pub(crate) fn listen<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    from.deserialize_str(Socket)
}

/// Likewise, from the command line.
///
/// # Errors
/// A sentence with an example.
pub(crate) fn socket(written: &str) -> Result<SocketAddr, String> {
    written.parse().map_err(|_| format!("expected {SOCKET}"))
}

struct Socket;

impl Visitor<'_> for Socket {
    type Value = SocketAddr;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(SOCKET)
    }

    fn visit_str<E: Error>(self, written: &str) -> Result<SocketAddr, E> {
        written.parse().map_err(|_| E::invalid_value(Unexpected::Str(written), &self))
    }
}

/// Bytes.
pub(super) fn bytes<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    let most = i64::MAX;
    from.deserialize_i64(Number { what: "a number of bytes, such as 268435456 for 256 MiB", most })
}

/// Days.
pub(super) fn days<'de, D: Deserializer<'de>>(from: D) -> Result<u16, D::Error> {
    let days = from.deserialize_i64(Number { what: "a number of days from 1 to 65535", most: u16::MAX.into() })?;
    u16::try_from(days).map_err(Error::custom)
}

/// A number from 1 to `most`.
struct Number {
    what: &'static str,
    most: i64,
}

impl Visitor<'_> for Number {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i64, E> {
        if (1..=self.most).contains(&number) {
            Ok(number)
        } else {
            Err(E::invalid_value(Unexpected::Signed(number), &self))
        }
    }
}
