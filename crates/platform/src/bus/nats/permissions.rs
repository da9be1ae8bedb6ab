//! What each service's NATS user may do: publish its own events, read its own durables, and nothing besides.

use std::fmt::Write;

use lasegue_contracts::Service;
use lasegue_contracts::topology::{CONSUMERS, Consumer, STREAMS, Stream};

use super::connection::receipt_subject;

/// The server's `authorization` block, from the topology. Passwords are variables of the server's configuration, named
/// like `INTAKE_PASSWORD`.
pub fn authorization() -> String {
    let mut text = String::from(
        "# Made from the topology of streams and durables; a test keeps it so.\nauthorization {\n  users = [\n",
    );
    for service in Service::ALL {
        let password = service.name().to_uppercase();
        let publish = list(&may_publish(service));
        let subscribe = list(&[format!("_INBOX_{service}.>"), receipt_subject(service.name(), "*")]);
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

fn for_stream(stream: &Stream, service: Service) -> Vec<String> {
    let name = stream.name;
    // A stream without an owner has the sender where others name their own service.
    let subjects = stream.subjects.iter().map(|subject| subject.replace("lasegue.*.", &format!("lasegue.{service}.")));
    let readers = CONSUMERS.iter().filter(|consumer| consumer.stream == stream);
    subjects
        .chain(["INFO", "CREATE", "PURGE"].map(|verb| format!("$JS.API.STREAM.{verb}.{name}")))
        .chain(readers.map(|consumer| format!("$JS.API.CONSUMER.INFO.{name}.{}", consumer.name)))
        .collect()
}

fn for_durable(consumer: &Consumer) -> Vec<String> {
    let (stream, name) = (consumer.stream.name, consumer.name);
    let mut subjects = vec![
        format!("$JS.API.STREAM.INFO.{stream}"),
        format!("$JS.API.STREAM.MSG.GET.{stream}"),
        format!("$JS.API.CONSUMER.INFO.{stream}.{name}"),
        format!("$JS.API.CONSUMER.CREATE.{stream}.{name}"),
        format!("$JS.API.CONSUMER.CREATE.{stream}.{name}.>"),
        format!("$JS.API.CONSUMER.DELETE.{stream}.{name}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{name}"),
        format!("$JS.ACK.{stream}.{name}.>"),
    ];
    if let (true, Some(sender)) = (consumer.stream.receipts, consumer.stream.owner) {
        subjects.push(receipt_subject(sender.name(), "*"));
    }
    subjects
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_service_may_publish_what_another_sends() {
        for service in Service::ALL {
            for subject in may_publish(service).iter().filter(|subject| subject.contains(".v1.")) {
                assert!(subject.starts_with(&format!("lasegue.{service}.")), "{service} may publish {subject}");
            }
        }
    }

    #[test]
    fn only_alerting_confirms_red_flags() {
        let confirms = |service| may_publish(service).contains(&"lasegue.receipt.assessment.*".to_owned());
        assert_eq!(Service::ALL.map(confirms), [false, false, false, true]);
    }
}
