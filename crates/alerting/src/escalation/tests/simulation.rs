use std::collections::BTreeMap;

use super::*;

#[test]
fn two_weeks_of_an_emergency_that_nobody_accepts_page_at_least_every_ten_minutes() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.pass(TimeDelta::weeks(2));
    let gaps = world.sent.windows(2).map(|pair| pair[1].0 - pair[0].0);
    assert!(gaps.max().unwrap() <= minutes(10));
    assert!(world.now - world.sent.last().unwrap().0 <= minutes(10));
}

#[test]
fn a_clinic_that_answers_sees_a_bounded_number_of_pages_in_a_month() {
    let mut world = World::new();
    for day in 0..30_u64 {
        world.told(&flags(day + 1, vec![emergency(), finding("malignancy-suspected", Urgency::OneDay)]));
        world.pass(minutes(4));
        for alert in world.case.active_ids() {
            let seen = world.case.revision();
            let dispose = Action::Dispose { note: "seen".to_owned() };
            world.act_on(Command { alert, by: Person("a".to_owned()), seen, action: dispose }).unwrap();
        }
        let disposed = vec![emergency().key; usize::try_from(day).unwrap() + 1];
        let signed = RedFlags { dispositions: disposed, ..flags(1000 + day, vec![]) };
        world.case.revision = Some(Revision(day + 1));
        world.told(&RedFlags { revision: Revision(day + 1), ..signed });
        world.pass(TimeDelta::days(1) - minutes(4));
    }
    assert!(world.sent.len() <= 60, "{}", world.sent.len());
    assert!(reasons(&world).iter().all(|reason| *reason == Reason::Opened));
}

#[test]
fn an_outage_of_hours_brings_one_step_and_no_burst() {
    let mut world = World::new();
    world.told(&flags(1, vec![emergency()]));
    world.paged();
    world.now += TimeDelta::hours(6);
    let plan = tick::decide(world.case.clone(), &world.on_call, world.now);
    world.take(plan);
    assert_eq!(world.paged(), ["lead escalated"]);
    assert_eq!(world.case.wake(), Some(world.now + minutes(10)));
}

#[test]
fn several_findings_keep_one_page_a_contact_and_instant() {
    let mut world = World::new();
    let findings = (0..20).map(|n| finding(&format!("finding-{n}"), Urgency::SameDay)).collect();
    world.told(&flags(1, findings));
    world.pass(TimeDelta::days(1));
    let mut seen: BTreeMap<_, usize> = BTreeMap::new();
    for (at, page) in &world.sent {
        *seen.entry((*at, page.contact.clone())).or_default() += 1;
    }
    assert!(seen.values().all(|count| *count == 1));
}
