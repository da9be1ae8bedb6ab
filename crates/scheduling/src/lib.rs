//! Keeps the planned next visit and tells when it is due or overdue.
