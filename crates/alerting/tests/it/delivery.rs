//! What becomes of a page whose receiver is in trouble, and of one whose sender dies.

use std::time::Duration;

use axum::http::StatusCode;
use lasegue_alerting::delivery::DeliveryState;
use lasegue_alerting::store::deliveries;
use sea_orm::EntityTrait;

use crate::harness::{Clinic, emergency};

impl Clinic {
    async fn delivery(&self) -> deliveries::Model {
        let rows = deliveries::Entity::find().all(self.alerting.store().reader()).await.expect("readable");
        rows.into_iter().next().expect("something was queued")
    }
}

#[tokio::test]
async fn a_receiver_in_trouble_is_tried_again_and_the_second_page_is_marked() {
    let mut clinic = Clinic::open().await;
    clinic.pagers["a"].answer(StatusCode::INTERNAL_SERVER_ERROR);
    clinic.tell(emergency(1)).await;
    let first = clinic.pages("a", 1).await.remove(0);
    assert!(!first.possible_duplicate());
    clinic.pagers["a"].answer(StatusCode::OK);
    clinic.pass(Duration::from_secs(1)).await;
    let second = clinic.pages("a", 1).await.remove(0);
    assert!(second.possible_duplicate());
    assert_eq!(second.text("page_id"), first.text("page_id"));
    assert_eq!(clinic.delivery().await.state, DeliveryState::Accepted.word());
    clinic.close().await;
}

#[tokio::test]
async fn a_refused_page_is_not_tried_again() {
    let mut clinic = Clinic::open().await;
    clinic.pagers["a"].answer(StatusCode::GONE);
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    clinic.pass(Duration::from_secs(120)).await;
    let delivery = clinic.delivery().await;
    assert_eq!((delivery.state.as_str(), delivery.cause.as_deref()), ("failed", Some("refused")));
    clinic.close().await;
}

#[tokio::test]
async fn a_page_left_by_a_dead_sender_is_sent_again_and_marked() {
    let mut clinic = Clinic::open().await;
    clinic.tell(emergency(1)).await;
    clinic.pages("a", 1).await;
    let row = clinic.delivery().await;
    let owner = uuid::Uuid::from_u128(99);
    clinic.lease_to(row.id, owner).await;
    clinic.pass(Duration::from_secs(3)).await;
    let again = clinic.pages("a", 1).await.remove(0);
    assert!(again.possible_duplicate());
    clinic.close().await;
}

impl Clinic {
    /// Puts a delivery back to where a sender that died during the send leaves it.
    async fn lease_to(&self, id: uuid::Uuid, owner: uuid::Uuid) {
        use lasegue_platform::store::StoreError;
        use sea_orm::ActiveValue::Set;
        self.alerting
            .store()
            .commit::<_, StoreError, _>(move |unit| {
                Box::pin(async move {
                    let row = deliveries::ActiveModel {
                        id: Set(id),
                        state: Set(DeliveryState::Sending.word().to_owned()),
                        owner: Set(Some(owner)),
                        wake_at: Set(Some(unit.now() + deliveries::LEASE)),
                        ..Default::default()
                    };
                    deliveries::Entity::update(row).exec(unit.db()).await.map(drop).map_err(StoreError::from)
                })
            })
            .await
            .expect("the row is there");
    }
}
