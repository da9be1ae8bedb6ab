//! The cryptography behind TLS: ring, installed once for the process.

/// Installs it. Calling it again does nothing.
pub fn install() {
    // An error only says that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
