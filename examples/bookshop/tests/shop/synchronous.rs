//! Synchronous tests, and synchronous code that waits for the database at any depth.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bookshop::{
    entity::{customer, prelude::Customer},
    shop::{
        books,
        customers::{self, Registration},
        orders,
    },
};
use green_light::{prelude::*, try_wait, wait};
use sea_orm::{DatabaseConnection, EntityTrait, PaginatorTrait};

use crate::fixtures::{Factory, factory};

/// A customer who is gone when the value is dropped: an asynchronous drop.
struct TempCustomer {
    db: DatabaseConnection,
    id: i32,
}

impl TempCustomer {
    async fn new(db: &DatabaseConnection) -> Self {
        let registration = Registration {
            email: "temp@example.org".into(),
            name: "Temp".into(),
        };
        let customer = customers::register(db, registration).await.unwrap();
        Self {
            db: db.clone(),
            id: customer.id,
        }
    }
}

impl Drop for TempCustomer {
    fn drop(&mut self) {
        // Without a context there is nothing to wait on; the sandbox then removes the row.
        let _ = try_wait(Customer::delete_by_id(self.id).exec(&self.db));
    }
}

#[green_light::test]
fn a_test_need_not_be_async(session: Session, factory: &Factory) {
    let ann = wait(factory.customer());
    assert_eq!(wait(customers::read(&session, ann.id)).unwrap(), ann);
}

#[green_light::test]
fn a_synchronous_test_may_fail_with_a_result(
    session: Session,
    factory: &Factory,
) -> bookshop::Result<()> {
    let book = wait(factory.book(2));
    let order = wait(factory.order(book.id, 2));
    wait(orders::cancel(&session, order.id))?;
    assert_eq!(wait(books::read(&session, book.id))?.copies, 2);
    Ok(())
}

/// An iterator that asks the database for each item, as no `async` iterator is needed.
#[green_light::test]
fn closures_may_wait(session: Session, factory: &Factory) {
    let ids: Vec<i32> = (0..3).map(|_| wait(factory.customer()).id).collect();
    let names: Vec<String> = ids
        .iter()
        .filter_map(|id| wait(Customer::find_by_id(*id).one(&session)).unwrap())
        .map(|customer: customer::Model| customer.name)
        .collect();
    assert_eq!(names.len(), 3);
}

#[green_light::test]
async fn a_dropped_value_deletes_its_row(session: Session) {
    let temp = TempCustomer::new(&session).await;
    assert_eq!(Customer::find().count(&session).await.unwrap(), 1);
    drop(temp);
    assert_eq!(Customer::find().count(&session).await.unwrap(), 0);
}

#[green_light::test]
fn a_value_dropped_by_a_panic_deletes_its_row(session: Session) {
    let temp = wait(TempCustomer::new(&session));
    let panic = catch_unwind(AssertUnwindSafe(move || {
        let _temp = temp;
        std::panic::resume_unwind(Box::new("on purpose"));
    }));
    assert!(panic.is_err());
    assert_eq!(wait(Customer::find().count(&session)).unwrap(), 0);
}
