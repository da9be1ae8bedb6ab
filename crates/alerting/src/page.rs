//! What leaves the building: how severe, an opaque reference, why, and a link that needs a login.
//! No symptom, finding, code, name or date of birth can be in it, for it is made from none of them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use reqwest::Url;
use serde::Serialize;

use crate::ids::{AlertId, PageId};
use crate::plan::Line;
use crate::reason::Reason;
use crate::tone::Tone;

/// One page as one attempt sends it: the body of a webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The same in every attempt: one for each contact and revision of an episode.
    pub page_id: PageId,
    /// A short word to name the page by.
    pub reference: String,
    /// `emergency`, `urgent`, `operator` or `notice`: the weightiest of the alerts.
    pub severity: Tone,
    /// Why: the reason of the weightiest alert.
    pub reason: Reason,
    /// One sentence for a person.
    pub text: String,
    /// The weightiest alert in the console.
    pub link: String,
    /// Every alert that the page is about; none in a test.
    pub alerts: Vec<Listed>,
    /// Counts the requests made for this page, from 1.
    pub attempt: u32,
    /// An earlier attempt may have arrived.
    pub possible_duplicate: bool,
    /// When this attempt was made.
    pub sent_at: DateTime<Utc>,
}

/// One alert in a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Which.
    pub id: AlertId,
    /// What kind.
    pub severity: Tone,
    /// Why it is in this page.
    pub reason: Reason,
    /// The alert in the console.
    pub link: String,
}

/// What one attempt is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Which page.
    pub page: PageId,
    /// About what.
    pub lines: BTreeMap<AlertId, Line>,
    /// Counted from 1.
    pub number: u32,
    /// An earlier attempt may have arrived.
    pub possible_duplicate: bool,
}

impl Page {
    /// The page of this attempt, with links that begin with `base`.
    pub fn new(attempt: &Attempt, base: &Url, now: DateTime<Utc>) -> Self {
        let mut alerts: Vec<_> = attempt.lines.iter().map(|(id, line)| listed(*id, *line, base)).collect();
        alerts.sort_by_key(|alert| std::cmp::Reverse((alert.severity, alert.reason)));
        let (severity, reason, link) = alerts.first().map_or_else(
            || (Tone::Notice, Reason::Test, base.to_string()),
            |first| (first.severity, first.reason, first.link.clone()),
        );
        let reference = attempt.page.reference();
        Self {
            text: format!("{} {reference}: {} {link}", word(severity), sentence(reason)),
            page_id: attempt.page,
            reference,
            severity,
            reason,
            link,
            alerts,
            attempt: attempt.number,
            possible_duplicate: attempt.possible_duplicate,
            sent_at: now,
        }
    }
}

fn listed(id: AlertId, line: Line, base: &Url) -> Listed {
    let base = base.as_str().trim_end_matches('/');
    Listed { id, severity: line.tone, reason: line.reason, link: format!("{base}/alerts/{id}") }
}

const fn word(tone: Tone) -> &'static str {
    match tone {
        Tone::Emergency => "EMERGENCY",
        Tone::Urgent => "Urgent",
        Tone::Operator => "Service trouble",
        Tone::Notice => "Notice",
    }
}

const fn sentence(reason: Reason) -> &'static str {
    match reason {
        Reason::Opened => "new. Sign in to see and accept it:",
        Reason::Worse => "worse than you were told. Sign in to see and accept it:",
        Reason::Escalated => "nobody has accepted it yet. Sign in to see and accept it:",
        Reason::Repeated => "still waiting for you. Sign in to see it:",
        Reason::Overdue => "its time limit is over. Sign in to see and accept it:",
        Reason::AcceptanceLapsed => "accepted, but nothing was signed. Sign in to see and accept it:",
        Reason::Corrected => "the record was corrected; it still needs a signature. Sign in to see it:",
        Reason::Test => "a test; there is nothing to do.",
        Reason::Answered => "answered; nothing is left to do. Details after sign-in:",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn attempt(lines: &[(Tone, Reason)]) -> Attempt {
        let numbered = lines.iter().zip(1..);
        let lines =
            numbered.map(|((tone, reason), n)| (AlertId(Uuid::from_u128(n)), Line { tone: *tone, reason: *reason }));
        Attempt {
            page: PageId(Uuid::from_u128(0xABCD << 96)),
            lines: lines.collect(),
            number: 2,
            possible_duplicate: true,
        }
    }

    fn page(lines: &[(Tone, Reason)]) -> Page {
        let base = Url::parse("https://lasegue.example/").unwrap();
        Page::new(&attempt(lines), &base, "2026-01-05T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn a_page_says_how_severe_why_and_where_and_nothing_else() {
        insta::assert_json_snapshot!(page(&[(Tone::Urgent, Reason::Worse), (Tone::Emergency, Reason::Opened)]), @r#"
        {
          "page_id": "0000abcd-0000-0000-0000-000000000000",
          "reference": "0000-ABCD",
          "severity": "emergency",
          "reason": "opened",
          "text": "EMERGENCY 0000-ABCD: new. Sign in to see and accept it: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000002",
          "link": "https://lasegue.example/alerts/00000000-0000-0000-0000-000000000002",
          "alerts": [
            {
              "id": "00000000-0000-0000-0000-000000000002",
              "severity": "emergency",
              "reason": "opened",
              "link": "https://lasegue.example/alerts/00000000-0000-0000-0000-000000000002"
            },
            {
              "id": "00000000-0000-0000-0000-000000000001",
              "severity": "urgent",
              "reason": "worse",
              "link": "https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001"
            }
          ],
          "attempt": 2,
          "possible_duplicate": true,
          "sent_at": "2026-01-05T12:00:00Z"
        }
        "#);
    }

    #[test]
    fn a_page_about_nothing_is_a_test() {
        assert_eq!(page(&[]).text, "Notice 0000-ABCD: a test; there is nothing to do. https://lasegue.example/");
    }

    #[test]
    fn every_reason_has_a_sentence_of_its_own() {
        let reasons = [
            Reason::Opened,
            Reason::Worse,
            Reason::Escalated,
            Reason::Repeated,
            Reason::Overdue,
            Reason::AcceptanceLapsed,
            Reason::Corrected,
            Reason::Answered,
        ];
        let texts: Vec<_> = reasons.map(|reason| page(&[(Tone::Urgent, reason)]).text).to_vec();
        insta::assert_snapshot!(texts.join("\n"), @r"
        Urgent 0000-ABCD: new. Sign in to see and accept it: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001
        Urgent 0000-ABCD: worse than you were told. Sign in to see and accept it: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001
        Urgent 0000-ABCD: nobody has accepted it yet. Sign in to see and accept it: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001
        Urgent 0000-ABCD: still waiting for you. Sign in to see it: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001
        Urgent 0000-ABCD: its time limit is over. Sign in to see and accept it: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001
        Urgent 0000-ABCD: accepted, but nothing was signed. Sign in to see and accept it: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001
        Urgent 0000-ABCD: the record was corrected; it still needs a signature. Sign in to see it: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001
        Urgent 0000-ABCD: answered; nothing is left to do. Details after sign-in: https://lasegue.example/alerts/00000000-0000-0000-0000-000000000001
        ");
    }
}
