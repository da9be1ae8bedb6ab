//! Every series that a process shows, in one table: its name, what it counts, and the words that its labels take.
//!
//! Whoever counts something new adds its line here and to the table of docs/operations.md; tests find every name in the
//! sources that is not in this table, and every difference between the two tables. Counters and histograms exist from the
//! start with every word of their labels, at 0, so that an alarm sees the first failure as an increase. A gauge appears
//! with its first measurement: a 0 that nobody measured would be a lie.

use lasegue_contracts::topology::CONSUMERS;
use metrics::Label;

/// How a series moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever up.
    Counter,
    /// Up and down.
    Gauge,
    /// How often values of which size were seen.
    Histogram,
}

impl Kind {
    /// The word in the documentation, and the name of the macro that measures it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// What the values of a label are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// These, and no others.
    These(&'static [&'static str]),
    /// The names of the durable consumers.
    Consumers,
    /// What was seen: the series exists once it has been.
    Seen,
}

/// One series.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// Its name.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// In which process it moves: elsewhere a counter stays at 0 for ever, and a gauge is absent.
    pub lives: &'static str,
    /// The names of its labels and their values.
    pub labels: &'static [(&'static str, Words)],
    /// What it measures, in one sentence.
    pub help: &'static str,
}

const EVERY: &str = "every process";
const SERVICES: &str = "each service";
const INTAKE: &str = "`intake`";
const ALERTING: &str = "`alerting`";
const UP: &str = "`lasegue up`";
const OF_CONSUMER: &[(&str, Words)] = &[("consumer", Words::Consumers)];
const OF_HAND_OVER: &[(&str, Words)] =
    &[("consumer", Words::Consumers), ("outcome", Words::These(&["taken", "failed"]))];
const OF_LANE: &[(&str, Words)] = &[
    ("service", Words::These(&["intake", "assessment", "scheduling", "alerting"])),
    ("lane", Words::These(&["red-flag", "live", "bulk"])),
];
const OF_REQUEST: &[(&str, Words)] = &[("method", Words::Seen), ("path", Words::Seen), ("status", Words::Seen)];
const CHANNELS: Words = Words::These(&["webhook"]);
const HAPPENINGS: Words = Words::These(&[
    "opened",
    "worsened",
    "met-again",
    "persists",
    "corrected-pending",
    "escalated",
    "paged",
    "accepted",
    "taken-over",
    "extended",
    "declined",
    "handed-over",
    "lapsed",
    "disposed",
    "answered",
    "withdrawn",
]);
const ATTEMPTS: Words = Words::These(&["sent", "unreachable", "timeout", "broken", "server-error", "refused"]);
const STORES: Words = Words::These(&["intake", "assessment", "scheduling", "alerting"]);
const REFUSALS: Words = Words::These(&[
    "malformed",
    "forged",
    "expired",
    "revoked",
    "early",
    "too-long",
    "unnamed",
    "no-token",
    "wrong-role",
]);
const ENDED: Words = Words::These(&["needed", "silent", "slow"]);
const TAKEN: Words = Words::These(&["accepted", "refused", "failed"]);

const fn counter(
    name: &'static str,
    lives: &'static str,
    labels: &'static [(&'static str, Words)],
    help: &'static str,
) -> Series {
    Series { name, kind: Kind::Counter, lives, labels, help }
}

const fn gauge(
    name: &'static str,
    lives: &'static str,
    labels: &'static [(&'static str, Words)],
    help: &'static str,
) -> Series {
    Series { name, kind: Kind::Gauge, lives, labels, help }
}

const fn histogram(
    name: &'static str,
    lives: &'static str,
    labels: &'static [(&'static str, Words)],
    help: &'static str,
) -> Series {
    Series { name, kind: Kind::Histogram, lives, labels, help }
}

/// The table, by name.
pub const SERIES: &[Series] = &[
    counter("alert_events_total", ALERTING, &[("event", HAPPENINGS)], "What happened to alerts."),
    counter("alert_steps_overlooked_total", ALERTING, &[], "Steps of alerts that were late and that the auditor took."),
    counter(
        "audit_rows_unwritten_total",
        SERVICES,
        &[("service", STORES)],
        "Accesses for which a line of the log stands.",
    ),
    counter("audit_seals_failed_total", SERVICES, &[("service", STORES)], "Times that the audit could not be sealed."),
    counter("bus_dead_letters_total", SERVICES, OF_CONSUMER, "Messages that could not be handled and were set aside."),
    counter(
        "bus_failing_total",
        SERVICES,
        OF_CONSUMER,
        "Events that had gone on failing when an operator was told of them.",
    ),
    counter(
        "bus_handed_over_total",
        SERVICES,
        OF_HAND_OVER,
        "Events that the bus did not take and that were handed over.",
    ),
    gauge("bus_lag", SERVICES, OF_CONSUMER, "Messages in the stream that wait for the consumer."),
    counter("bus_refused_total", SERVICES, OF_CONSUMER, "Messages that nobody who may send them had signed."),
    counter("bus_retries_total", SERVICES, OF_CONSUMER, "Events that could not be handled yet and come again."),
    gauge("contacts", ALERTING, &[], "People who can be paged."),
    counter(
        "heartbeats_total",
        ALERTING,
        &[("outcome", Words::These(&["sent", "failed"]))],
        "Signs of life that were given.",
    ),
    gauge("http_connections", EVERY, &[], "Connections that are open."),
    counter("http_connections_ended_total", EVERY, &[("why", ENDED)], "Connections that were ended for waiting."),
    counter("http_connections_refused_total", EVERY, &[], "Connections that found no place."),
    counter("http_failures_total", EVERY, &[], "Answers with a status of 500 or above, but those of `/readyz`."),
    histogram("http_request_seconds", EVERY, OF_REQUEST, "How long answers took."),
    counter("http_requests_total", EVERY, OF_REQUEST, "Requests that were answered."),
    counter("intake_submissions_total", INTAKE, &[("outcome", TAKEN)], "What became of submissions."),
    counter("log_lines_lost_total", EVERY, &[], "Log lines that standard error did not take."),
    gauge(
        "oldest_unpaged_red_flag_seconds",
        ALERTING,
        &[],
        "How long the oldest page about a patient has waited that nobody has got.",
    ),
    gauge(
        "outbox_oldest_seconds",
        SERVICES,
        OF_LANE,
        "How long the oldest event has waited that the bus has not taken yet.",
    ),
    counter(
        "page_attempts_total",
        ALERTING,
        &[("channel", CHANNELS), ("outcome", ATTEMPTS)],
        "Attempts to send a page.",
    ),
    histogram(
        "page_delivery_seconds",
        ALERTING,
        &[("channel", CHANNELS)],
        "From the decision to page until the page was taken.",
    ),
    counter(
        "sign_ins_refused_total",
        EVERY,
        &[("reason", REFUSALS)],
        "Calls that were turned away: by their token, or by its role.",
    ),
    counter(
        "store_commit_failures_total",
        SERVICES,
        &[("service", STORES)],
        "Commits that failed, or could not be begun.",
    ),
    histogram("store_units_per_commit", UP, &[], "Units of work that shared one commit on SQLite."),
];

impl Words {
    /// The values that are known before anything was seen.
    fn known(self) -> Vec<&'static str> {
        match self {
            Self::These(words) => words.to_vec(),
            Self::Consumers => CONSUMERS.iter().map(|consumer| consumer.name).collect(),
            Self::Seen => Vec::new(),
        }
    }
}

impl Series {
    /// Every set of labels that is known before anything was seen.
    fn known(&self) -> Vec<Vec<Label>> {
        self.labels.iter().fold(vec![Vec::new()], |sets, (name, words)| {
            let with = |set: &Vec<Label>, word| [&set[..], &[Label::from_static_parts(name, word)]].concat();
            sets.iter().flat_map(|set| words.known().into_iter().map(move |word| with(set, word))).collect()
        })
    }

    fn register(&self) {
        match self.kind {
            Kind::Counter => {
                metrics::describe_counter!(self.name, self.help);
                self.known().into_iter().for_each(|labels| metrics::counter!(self.name, labels).increment(0));
            }
            Kind::Histogram => {
                metrics::describe_histogram!(self.name, self.help);
                self.known().into_iter().for_each(|labels| drop(metrics::histogram!(self.name, labels)));
            }
            Kind::Gauge => metrics::describe_gauge!(self.name, self.help),
        }
    }
}

/// Makes the recorder know them all.
pub(super) fn register() {
    SERIES.iter().for_each(Series::register);
}
