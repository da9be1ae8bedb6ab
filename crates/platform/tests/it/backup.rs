//! Copies of several databases are of one instant, however busy they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use lasegue_contracts::Service;
use lasegue_platform::store::backup::{Copy, back_up, examine};
use lasegue_platform::store::{Location, Store, outbox};
use lasegue_testkit::wait::eventually;

use crate::store::publish;
use crate::support::Place;

const SERVICES: [Service; 3] = [Service::Intake, Service::Assessment, Service::Alerting];
const BACKUPS: usize = 12;
/// Who write at the same time.
const WRITERS: usize = 4;

/// Writes a row into each store, always in the same order, until told to stop.
async fn write_on(stores: Vec<Store>, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        for store in &stores {
            publish(store).await.expect("nobody keeps it from committing for long");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_several_busy_databases_is_of_one_instant() {
    let place = Place::sqlite();
    let mut stores = Vec::new();
    for service in SERVICES {
        stores.push(place.open(service).await);
    }
    let stop = Arc::<AtomicBool>::default();
    let writing: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(write_on(stores.clone(), stop.clone()))).collect();
    let (mut before, ahead) = (-1, i64::try_from(WRITERS).expect("a few"));
    for _ in 0..BACKUPS {
        let copied = Place::sqlite();
        let made = back_up(&SERVICES.map(|service| copy(service, &place, &copied)))
            .await
            .expect("it is made while they are written");
        let rows = SERVICES.map(|service| made[&service]["outbox"]);
        assert!(rows[0] >= rows[1] && rows[1] >= rows[2] && rows[2] + ahead >= rows[0], "not of one instant: {rows:?}");
        assert!(rows[0] > before, "they are written on meanwhile");
        before = rows[0];
        for service in SERVICES {
            let store = copied.open(service).await;
            assert_eq!(
                i64::try_from(outbox::count_owed(store.reader()).await.expect("it is read")),
                Ok(made[&service]["outbox"])
            );
            publish(&store).await.expect("a copy can be written");
        }
        eventually("they are written on", || async {
            i64::try_from(outbox::count_owed(stores[0].reader()).await.expect("it is read"))
                .is_ok_and(|now| now > before)
        })
        .await;
    }
    stop.store(true, Ordering::SeqCst);
    for writer in writing {
        writer.await.expect("no unit failed");
    }
    let whole = examine(Service::Intake, &copy(Service::Intake, &place, &place).from).await.expect("it is whole");
    assert!(whole["outbox"] > before);
}

fn copy(service: Service, from: &Place, to: &Place) -> Copy {
    let file = |place: &Place| match place.location(service) {
        Location::Sqlite(file) => file,
        Location::Postgres(_) => panic!("it is a file"),
    };
    Copy { service, from: file(from), to: file(to) }
}
