use proptest::prelude::*;

use super::*;
use crate::severity::Severity;
use crate::state::State;

/// Something that can happen to a case.
#[derive(Clone, Debug)]
enum Step {
    Told(Vec<Finding>),
    Passes(i64),
    Acts(&'static str, Action),
}

const CODES: [&str; 4] = ["cauda-equina-emergency", "motor-deficit-severe", "reflex-changed", "motor-exam-unknown"];

fn any_finding() -> impl Strategy<Value = Finding> {
    let urgency = prop_oneof![
        3 => Just(Urgency::Emergency),
        1 => Just(Urgency::SameDay),
        1 => Just(Urgency::OneDay),
        1 => Just(Urgency::SevenDays)
    ];
    (prop::sample::select(&CODES[..]), urgency, 0_i64..4, any::<bool>(), any::<bool>()).prop_map(
        |(code, urgency, ground, met, corrected)| {
            let measure = [("ground".to_owned(), ground)].into();
            Finding { measure, met_at_visit: met, corrected_pending: corrected, ..finding(code, urgency) }
        },
    )
}

/// Each key once, as an event holds them.
fn any_findings() -> impl Strategy<Value = Vec<Finding>> {
    prop::collection::vec(any_finding(), 0..4).prop_map(|mut findings| {
        findings.sort_by(|left, right| left.key.cmp(&right.key));
        findings.dedup_by(|left, right| left.key == right.key);
        findings
    })
}

fn any_action() -> impl Strategy<Value = Action> {
    let extend = (1_i64..600).prop_map(|end| Action::Extend { until: noon() + minutes(end), why: "why".to_owned() });
    prop_oneof![
        Just(Action::Accept),
        Just(Action::TakeOver),
        Just(Action::Decline),
        Just(Action::HandOver { to: None }),
        Just(Action::HandOver { to: Some("b".into()) }),
        extend,
        Just(Action::Dispose { note: "seen".to_owned() }),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        any_findings().prop_map(Step::Told),
        (0_i64..400).prop_map(Step::Passes),
        (prop::sample::select(&["a", "b", "lead"][..]), any_action()).prop_map(|(who, action)| Step::Acts(who, action)),
    ]
}

impl World {
    fn step(&mut self, step: &Step, revision: u64) {
        match step {
            Step::Told(findings) => self.told(&flags(revision, findings.clone())),
            Step::Passes(span) => self.pass(minutes(*span)),
            Step::Acts(who, action) => {
                let Some(alert) = self.case.active_ids().first().copied() else {
                    return;
                };
                let command =
                    Command { alert, by: Person((*who).to_owned()), seen: self.case.shown(), action: action.clone() };
                _ = self.act_on(command);
            }
        }
    }

    /// What must hold after every step.
    fn is_sound(&self) {
        for alert in self.case.alerts.values() {
            let twins = self.case.alerts.values().filter(|other| other.key == alert.key && other.is_active()).count();
            assert!(twins <= 1, "two active alerts of one key");
            if let State::Open { chain } = alert.state {
                assert!(chain.due > self.now && chain.due <= self.now + minutes(30), "an open alert stands still");
            }
            if let State::Accepted { at, lapses_at, .. } = alert.state {
                assert!(lapses_at <= at + TimeDelta::hours(4), "an acceptance holds too long");
            }
            if let State::Listed { planned } = &alert.state {
                assert!(alert.severity() == Severity::Urgent && planned.is_some(), "an emergency waits");
            }
        }
    }
}

fn after(steps: &[Step]) -> World {
    let mut world = World::new();
    for (step, revision) in steps.iter().zip(1..) {
        world.step(step, revision);
        world.is_sound();
    }
    world
}

proptest! {
    #[test]
    fn whatever_happens_the_state_is_sound(steps in prop::collection::vec(any_step(), 1..30)) {
        after(&steps);
    }

    #[test]
    fn an_emergency_that_is_new_is_paged_in_the_same_instant(steps in prop::collection::vec(any_step(), 0..20)) {
        let mut world = after(&steps);
        let new = finding("spinal-infection-emergency", Urgency::Emergency);
        world.paged();
        world.told(&flags(1000, vec![new]));
        prop_assert!(world.last.iter().any(|page| page.headline().unwrap().tone.word() == "emergency" && page.headline().unwrap().reason == Reason::Opened));
    }

    #[test]
    fn paging_never_ends_without_acceptance(steps in prop::collection::vec(any_step(), 0..20), hours in 1_i64..12) {
        let mut world = after(&steps);
        world.told(&flags(1000, vec![worse(worse(worse(worse(emergency()))))]));
        world.pass(TimeDelta::hours(hours));
        let last = world.sent.last().unwrap().0;
        prop_assert!(world.now - last <= minutes(30));
        prop_assert!(world.case.wake().unwrap() > world.now);
    }

    #[test]
    fn repeated_and_late_events_change_nothing(
        told in prop::collection::vec(any_findings(), 1..8),
        replayed in prop::collection::vec(0_usize..8, 0..20),
    ) {
        let mut world = World::new();
        for (findings, revision) in told.iter().zip(1..) {
            world.told(&flags(revision, findings.clone()));
        }
        let before = (world.case.clone(), world.sent.len());
        for index in replayed.into_iter().filter(|index| *index < told.len()) {
            world.told(&flags(index as u64 + 1, told[index].clone()));
        }
        prop_assert_eq!((world.case, world.sent.len()), before);
    }

    #[test]
    fn events_in_any_order_leave_the_same_alerts_active(told in prop::collection::vec(any_findings(), 1..6), order in any::<prop::sample::Index>()) {
        let active = |sequence: Vec<usize>| {
            let mut world = World::new();
            for index in sequence {
                world.told(&flags(index as u64 + 1, told[index].clone()));
            }
            world.case.alerts.values().filter(|alert| alert.is_active()).map(|alert| alert.key.clone()).collect::<BTreeSet<_>>()
        };
        let straight: Vec<_> = (0..told.len()).collect();
        let mut turned = straight.clone();
        turned.rotate_left(order.index(told.len()));
        prop_assert_eq!(active(straight), active(turned));
    }

    #[test]
    fn a_contact_is_not_paged_more_than_once_a_minute_for_each_alert_by_time_alone(hours in 1_i64..4, count in 1_usize..4) {
        let mut world = World::of(set_up(&SET_UP.replace("5m", "1s").replace("10m", "1s")));
        world.told(&flags(1, (0..count).map(|n| finding(&format!("finding-{n}"), Urgency::Emergency)).collect()));
        world.pass(TimeDelta::hours(hours));
        for name in ["a", "b", "lead", "desk"] {
            let pages = world.sent.iter().filter(|(_, page)| page.contact.0 == name).count();
            prop_assert!(pages <= usize::try_from(hours).unwrap() * 60 + 2);
        }
    }

    #[test]
    fn no_set_up_delays_an_emergency(wait in 1_i64..1800, from in 0_u32..12, to in 12_u32..24, minute in 0_i64..10_000) {
        let toml = format!("{}\n", SET_UP.replace("5m", &format!("{wait}s")))
            .replace("paging = { ", &format!("paging = {{ day_from = \"{from:02}:00\", day_to = \"{to:02}:00\", "));
        let mut world = World::of(set_up(&toml));
        world.now += minutes(minute);
        world.told(&flags(1, vec![emergency()]));
        prop_assert_eq!(world.sent[0].0, world.now);
        prop_assert_eq!(world.sent[0].1.headline().unwrap().reason, Reason::Opened);
    }
}
