//! The cryptography behind TLS: ring, installed once for the process. Clients of HTTP that also work on a machine without
//! the certificates of any authority: only who calls an `https` address needs them.

use reqwest::{Client, ClientBuilder, Error};

/// Installs it. Calling it again does nothing.
pub fn install() {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The client that `builder` describes. Where the machine has no certificates it trusts nobody over `https`, and the log
/// says what is missing.
///
/// # Errors
/// When no client can be made for another reason.
pub fn client(builder: impl Fn() -> ClientBuilder) -> Result<Client, Error> {
    builder().build().or_else(|error| {
        let without = builder().tls_certs_only([]).build().map_err(|_| error)?;
        tracing::warn!(
            "this machine has no certificates of authorities, so no https address can be called: install ca-certificates, or name a file of them in SSL_CERT_FILE"
        );
        Ok(without)
    })
}
