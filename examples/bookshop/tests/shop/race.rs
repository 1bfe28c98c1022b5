//! Many buyers at once, as synchronous clients that run in parallel: `crowd`.
//!
//! A test has one connection, so the transactions of its buyers take turns. What this shows is that the
//! shop decides nothing outside of them, and that hundreds of buyers get through.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bookshop::{
    Error,
    shop::{
        checkout::{Basket, BasketLine, checkout},
        customers::{self, Registration},
        orders,
    },
};
use green_light::prelude::*;

use crate::fixtures::{Factory, factory};

const BUYERS: u32 = 500;

/// Longer than any of these takes.
const PATIENCE: Duration = Duration::from_secs(60);

#[green_light::test]
async fn five_hundred_buyers_race_for_the_last_copy(
    session: Session,
    factory: &Factory,
    crowd: Crowd,
) {
    let book_id = factory.book(1).await.id;
    let customer_id = factory.customer().await.id;
    let sold = Arc::new(AtomicU32::new(0));
    let refused = Arc::new(AtomicU32::new(0));
    for _ in 0..BUYERS {
        let db = session.connection().clone();
        let (sold, refused) = (Arc::clone(&sold), Arc::clone(&refused));
        crowd.spawn(move |member| {
            let lines = vec![BasketLine {
                book_id,
                quantity: 1,
            }];
            let basket = Basket { customer_id, lines };
            match member.wait(async move { checkout(&db, basket).await }) {
                Ok(_) => sold.fetch_add(1, Ordering::Relaxed),
                Err(Error::OutOfStock { available: 0, .. }) => {
                    refused.fetch_add(1, Ordering::Relaxed)
                }
                Err(error) => panic!("{error:?}"),
            };
        });
    }
    crowd.join(PATIENCE).await.unwrap();
    assert_eq!(sold.load(Ordering::Relaxed), 1);
    assert_eq!(refused.load(Ordering::Relaxed), BUYERS - 1);
    assert_eq!(factory.copies(book_id).await, 0);
}

#[green_light::test]
async fn an_order_cancelled_by_many_is_cancelled_once(
    session: Session,
    factory: &Factory,
    crowd: Crowd,
) {
    let book_id = factory.book(5).await.id;
    let order_id = factory.order(book_id, 5).await.id;
    let cancelled = Arc::new(AtomicU32::new(0));
    for _ in 0..50 {
        let (db, cancelled) = (session.connection().clone(), Arc::clone(&cancelled));
        crowd.spawn(move |member| {
            match member.wait(async move { orders::cancel(&db, order_id).await }) {
                Ok(_) => {
                    cancelled.fetch_add(1, Ordering::Relaxed);
                }
                Err(Error::AlreadyCancelled { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        });
    }
    crowd.join(PATIENCE).await.unwrap();
    assert_eq!(cancelled.load(Ordering::Relaxed), 1);
    assert_eq!(factory.copies(book_id).await, 5);
}

#[green_light::test]
async fn one_address_wanted_by_many_is_registered_once(session: Session, crowd: Crowd) {
    let registered = Arc::new(AtomicU32::new(0));
    for _ in 0..50 {
        let (db, registered) = (session.connection().clone(), Arc::clone(&registered));
        crowd.spawn(move |member| {
            let ann = Registration {
                email: "ann@example.org".into(),
                name: "Ann".into(),
            };
            match member.wait(async move { customers::register(&db, ann).await }) {
                Ok(_) => {
                    registered.fetch_add(1, Ordering::Relaxed);
                }
                Err(Error::Duplicate { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        });
    }
    crowd.join(PATIENCE).await.unwrap();
    assert_eq!(registered.load(Ordering::Relaxed), 1);
}
