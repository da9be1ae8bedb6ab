//! What each service's NATS user may do: publish its own events, read its own durables, and nothing besides.

use std::fmt::Write;

use lasegue_contracts::Service;
use lasegue_contracts::topology::{CONSUMERS, Consumer, STREAMS, Stream};

use super::connection::receipt_subject;
use super::proof::question_subject;

/// The server's `authorization` block, from the topology. Passwords are variables of the server's configuration, named
/// like `INTAKE_PASSWORD`.
pub fn authorization() -> String {
    let mut text = String::from(
        "# Made from the topology of streams and durables; a test keeps it so.\nauthorization {\n  users = [\n",
    );
    for service in Service::ALL {
        let password = service.name().to_uppercase();
        let publish = list(&may_publish(service));
        let subscribe = list(&may_subscribe(service));
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "    {{\n      user = {service}\n      password = ${password}_PASSWORD\n      permissions = {{\n        publish = {{ allow = [{publish}] }}\n        subscribe = {{ allow = [{subscribe}] }}\n      }}\n    }}\n"
        );
    }
    text.push_str("  ]\n}\n");
    text
}

fn list(subjects: &[String]) -> String {
    let lines: Vec<_> = subjects.iter().map(|subject| format!("\n          \"{subject}\"")).collect();
    format!("{}\n        ", lines.concat())
}

fn may_publish(service: Service) -> Vec<String> {
    let own = STREAMS.iter().filter(|stream| stream.owner.is_none_or(|owner| owner == service));
    let read = CONSUMERS.iter().filter(|consumer| consumer.owner == service);
    let mut subjects: Vec<_> = own.flat_map(|stream| for_stream(stream, service)).collect();
    subjects.extend(read.flat_map(|consumer| for_durable(consumer)));
    subjects.sort_unstable();
    subjects.dedup();
    subjects
}

fn may_subscribe(service: Service) -> Vec<String> {
    let read = CONSUMERS.iter().filter(|consumer| consumer.owner == service);
    let own = [format!("_INBOX_{service}.>"), receipt_subject(service.name(), "*")];
    own.into_iter().chain(read.map(|consumer| question_subject("*", consumer.name))).collect()
}

fn for_stream(stream: &Stream, service: Service) -> Vec<String> {
    let name = stream.name;
    // A stream without an owner has the sender where others name their own service.
    let subjects = stream.subjects.iter().map(|subject| subject.replace("lasegue.*.", &format!("lasegue.{service}.")));
    let readers = CONSUMERS.iter().filter(|consumer| consumer.stream == stream);
    // Whoever makes a stream says what it does: only its keeper, who needs that after the server lost it.
    let verbs: &[_] =
        if stream.keeper() == Some(service) { &["INFO", "MSG.GET", "CREATE", "PURGE"] } else { &["INFO", "MSG.GET"] };
    subjects
        .chain(verbs.iter().map(|verb| format!("$JS.API.STREAM.{verb}.{name}")))
        .chain(readers.flat_map(|consumer| {
            let info = format!("$JS.API.CONSUMER.INFO.{name}.{}", consumer.name);
            [info, question_subject(service.name(), consumer.name)]
        }))
        .collect()
}

fn for_durable(consumer: &Consumer) -> Vec<String> {
    let (stream, name) = (consumer.stream.name, consumer.name);
    let mut subjects = vec![
        format!("$JS.API.STREAM.INFO.{stream}"),
        format!("$JS.API.STREAM.MSG.GET.{stream}"),
        format!("$JS.API.CONSUMER.INFO.{stream}.{name}"),
        // With one filter the server has it in the subject, so that this durable takes nothing else.
        match consumer.filters {
            [only] => format!("$JS.API.CONSUMER.CREATE.{stream}.{name}.{only}"),
            _ => format!("$JS.API.CONSUMER.CREATE.{stream}.{name}"),
        },
        format!("$JS.API.CONSUMER.DELETE.{stream}.{name}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"),
        format!("$JS.ACK.{stream}.{name}.>"),
    ];
    // A stream without an owner has events of every service.
    let senders = Service::ALL.into_iter().filter(|sender| consumer.stream.owner.is_none_or(|owner| owner == *sender));
    subjects.extend(senders.map(|sender| receipt_subject(sender.name(), "*")));
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_service_may_publish_what_another_sends() {
        for service in Service::ALL {
            for subject in
                may_publish(service).iter().filter(|subject| !subject.starts_with('$') && subject.contains(".v1."))
            {
                assert!(subject.starts_with(&format!("lasegue.{service}.")), "{service} may publish {subject}");
            }
        }
    }

    #[test]
    fn only_its_keeper_makes_a_stream_and_lets_go_of_what_is_in_it() {
        for stream in STREAMS {
            for verb in ["CREATE", "PURGE"] {
                let right = format!("$JS.API.STREAM.{verb}.{}", stream.name);
                let may: Vec<_> = Service::ALL.into_iter().filter(|of| may_publish(*of).contains(&right)).collect();
                assert_eq!(may, Vec::from_iter(stream.keeper()), "{right}");
            }
        }
        for service in Service::ALL {
            let wide = |right: &String| {
                right.starts_with("$JS.API") && (right.contains('>') || right.contains("STREAM.UPDATE"))
            };
            assert!(!may_publish(service).iter().any(wide), "{service}");
        }
    }

    #[test]
    fn only_a_sender_asks_for_its_events_and_only_their_reader_answers() {
        let may = |service, subject: &str| may_publish(service).contains(&subject.to_owned());
        let confirms = Service::ALL.map(|service| may(service, "lasegue.receipt.assessment.*"));
        assert_eq!(confirms, [false, false, true, true], "scheduling and alerting read what assessment sends");
        let asks = Service::ALL.map(|service| may(service, "lasegue.question.assessment.alerting-red-flags"));
        assert_eq!(asks, [false, true, false, false]);
    }
}
