//! What leaves the building: how severe, an opaque reference, why, and a link that needs a login.
//! No symptom, finding, code, name or date of birth can be in it, for it is made from none of them.

use std::cmp::Reverse;
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
    /// One for each contact and revision of an episode.
    pub page_id: PageId,
    /// The word by which people speak of the first alert; of the page, in a test.
    pub reference: String,
    /// `emergency`, `urgent`, `operator` or `notice`: of the first alert.
    pub severity: Tone,
    /// Why: the reason of the first alert.
    pub reason: Reason,
    /// One sentence for a person.
    pub text: String,
    /// The first alert in the console.
    pub link: String,
    /// Every alert that the page is about, the most severe first and of those the oldest; none in a test and in an alarm.
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
    /// The word by which people speak of it.
    pub reference: String,
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
        let mut lines: Vec<_> = attempt.lines.iter().collect();
        lines.sort_by_key(|(_, line)| (Reverse(line.tone), line.opened_at, Reverse(line.reason)));
        let alerts: Vec<_> = lines.into_iter().map(|(id, line)| listed(*id, *line, base)).collect();
        let (severity, reason, reference, link) = alerts.first().cloned().map_or_else(
            || (Tone::Notice, Reason::Test, attempt.page.reference(), base.to_string()),
            |first| (first.severity, first.reason, first.reference, first.link),
        );
        let and_more = and_more(alerts.len().saturating_sub(1));
        Self {
            text: format!("{} {reference}{and_more}: {} {link}", word(severity), sentence(reason)),
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

/// What alerting tells of its own database by a page alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarmed {
    /// It stores nothing.
    NothingStored,
    /// It is damaged.
    Damaged,
}

impl Alarmed {
    /// The word in the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::NothingStored => "nothing-stored",
            Self::Damaged => "damaged",
        }
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::NothingStored => {
                "nothing can be stored, and nobody is paged about patients. Make room, or bring the database back:"
            }
            Self::Damaged => "alerting's database is damaged. Run `lasegue doctor` and put a backup in its place:",
        }
    }
}

impl Page {
    /// A page about no alert, for none can be kept.
    pub fn alarm(page: PageId, alarmed: Alarmed, again: bool, link: &Url, now: DateTime<Utc>) -> Self {
        let (severity, reference) = (Tone::Operator, page.reference());
        Self {
            text: format!("{} {reference}: {} {link}", word(severity), alarmed.sentence()),
            page_id: page,
            reference,
            severity,
            reason: if again { Reason::Repeated } else { Reason::Opened },
            link: link.to_string(),
            alerts: Vec::new(),
            attempt: 1,
            possible_duplicate: false,
            sent_at: now,
        }
    }
}

fn listed(id: AlertId, line: Line, base: &Url) -> Listed {
    let base = base.as_str().trim_end_matches('/');
    let reference = id.reference();
    Listed { id, reference, severity: line.tone, reason: line.reason, link: format!("{base}/alerts/{id}") }
}

fn and_more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" and {others} more") }
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
        Reason::Repeated => "still nobody has accepted it. Sign in to see and accept it:",
        Reason::MetAgain => "reported again. Sign in to see it, and accept it unless you have:",
        Reason::HandedOver => "handed to you. Sign in to see and accept it:",
        Reason::Overdue => "its time limit is over. Sign in to see and accept it:",
        Reason::AcceptanceLapsed => "accepted, but nothing was signed. Sign in to see and accept it:",
        Reason::Corrected => "the record was corrected; it still needs a signature. Sign in to see it:",
        Reason::Signed => "somebody else has signed for it; nothing is left to do. Details after sign-in:",
        Reason::TakenOver => "somebody else has taken it over from you. Sign in to see who:",
        Reason::Test => "a test; there is nothing to do.",
        Reason::Answered => "answered; nothing is left to do. Details after sign-in:",
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn attempt(lines: &[(Tone, Reason)]) -> Attempt {
        let numbered = lines.iter().zip(1_u32..);
        let lines = numbered.map(|((tone, reason), n)| {
            // Opened in the order of the list, which is not that of the ids.
            let opened_at = DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(n.into());
            let id = AlertId(Uuid::from_u128(u128::from(0x1234_5679 - n) << 96));
            (id, Line { tone: *tone, reason: *reason, opened_at })
        });
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
          "reference": "1234-5677",
          "severity": "emergency",
          "reason": "opened",
          "text": "EMERGENCY 1234-5677 and 1 more: new. Sign in to see and accept it: https://lasegue.example/alerts/12345677-0000-0000-0000-000000000000",
          "link": "https://lasegue.example/alerts/12345677-0000-0000-0000-000000000000",
          "alerts": [
            {
              "id": "12345677-0000-0000-0000-000000000000",
              "reference": "1234-5677",
              "severity": "emergency",
              "reason": "opened",
              "link": "https://lasegue.example/alerts/12345677-0000-0000-0000-000000000000"
            },
            {
              "id": "12345678-0000-0000-0000-000000000000",
              "reference": "1234-5678",
              "severity": "urgent",
              "reason": "worse",
              "link": "https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000"
            }
          ],
          "attempt": 2,
          "possible_duplicate": true,
          "sent_at": "2026-01-05T12:00:00Z"
        }
        "#);
    }

    #[test]
    fn an_alarm_says_what_is_wrong_and_what_to_do() {
        let base = Url::parse("https://lasegue.example/").unwrap();
        let texts = [Alarmed::NothingStored, Alarmed::Damaged].map(|alarmed| {
            Page::alarm(attempt(&[]).page, alarmed, false, &base, "2026-01-05T12:00:00Z".parse().unwrap()).text
        });
        insta::assert_snapshot!(texts.join("\n"), @r"
        Service trouble 0000-ABCD: nothing can be stored, and nobody is paged about patients. Make room, or bring the database back: https://lasegue.example/
        Service trouble 0000-ABCD: alerting's database is damaged. Run `lasegue doctor` and put a backup in its place: https://lasegue.example/
        ");
    }

    #[test]
    fn a_page_about_several_alerts_is_named_after_the_most_severe_and_of_those_the_oldest() {
        let lines =
            [(Tone::Urgent, Reason::Worse), (Tone::Emergency, Reason::Repeated), (Tone::Emergency, Reason::Opened)];
        let page = page(&lines);
        assert_eq!((page.reference.as_str(), page.reason), ("1234-5677", Reason::Repeated));
        assert!(
            page.text.starts_with("EMERGENCY 1234-5677 and 2 more: still nobody has accepted it."),
            "{}",
            page.text
        );
        let references: Vec<_> = page.alerts.iter().map(|alert| alert.reference.as_str()).collect();
        assert_eq!(references, ["1234-5677", "1234-5676", "1234-5678"]);
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
            Reason::MetAgain,
            Reason::HandedOver,
            Reason::Overdue,
            Reason::AcceptanceLapsed,
            Reason::TakenOver,
            Reason::Signed,
            Reason::Corrected,
            Reason::Answered,
        ];
        let texts: Vec<_> = reasons.map(|reason| page(&[(Tone::Urgent, reason)]).text).to_vec();
        insta::assert_snapshot!(texts.join("\n"), @r"
        Urgent 1234-5678: new. Sign in to see and accept it: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: worse than you were told. Sign in to see and accept it: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: nobody has accepted it yet. Sign in to see and accept it: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: still nobody has accepted it. Sign in to see and accept it: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: reported again. Sign in to see it, and accept it unless you have: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: handed to you. Sign in to see and accept it: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: its time limit is over. Sign in to see and accept it: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: accepted, but nothing was signed. Sign in to see and accept it: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: somebody else has taken it over from you. Sign in to see who: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: somebody else has signed for it; nothing is left to do. Details after sign-in: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: the record was corrected; it still needs a signature. Sign in to see it: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        Urgent 1234-5678: answered; nothing is left to do. Details after sign-in: https://lasegue.example/alerts/12345678-0000-0000-0000-000000000000
        ");
    }
}
