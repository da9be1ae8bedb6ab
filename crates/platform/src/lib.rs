//! What every service stands on: bus, store, HTTP, auth, telemetry, lifecycle, clock.
