//! A right that is lacking. The server says so on the connection, without an answer to the event itself.

use tokio::sync::broadcast;

/// Complaints that wait to be read by those who wait for an answer.
pub(super) const WAITING: usize = 1_024;

/// Resolves with the server's complaint about publishing on `subject`.
pub(super) async fn of(complaints: &mut broadcast::Receiver<String>, subject: &str) -> String {
    loop {
        match complaints.recv().await {
            Ok(complaint) if is_about(&complaint, subject) => return complaint,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

fn is_about(complaint: &str, subject: &str) -> bool {
    let complaint = complaint.to_lowercase();
    complaint.contains("permissions violation") && complaint.contains(&format!("\"{}\"", subject.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_complaint_names_the_subject_that_it_is_about() {
        let complaint = "Permissions Violation for Publish to \"lasegue.intake.v1.submission-accepted.x\"";
        assert!(is_about(complaint, "lasegue.intake.v1.submission-accepted.x"));
        assert!(!is_about(complaint, "lasegue.intake.v1.submission-accepted"));
    }
}
