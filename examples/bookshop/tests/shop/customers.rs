//! Registration.

use bookshop::{
    Error,
    entity::prelude::Customer,
    shop::customers::{self, Registration},
};
use green_light::prelude::*;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;

use crate::fixtures::{Client, Desk, Factory, client, desk, factory};

fn ann() -> Registration {
    Registration {
        email: "Ann@Example.org".into(),
        name: "Ann".into(),
    }
}

#[green_light::test]
async fn a_customer_registers(client: &Client) {
    let body = json!({ "email": "Ann@Example.org", "name": "Ann" });
    let customer = client.post("/customers", body).await.expect(201);
    assert_eq!(customer["email"], "ann@example.org");
    let path = format!("/customers/{}", customer["id"]);
    assert_eq!(client.get(&path).await.expect(200), customer);
}

#[green_light::test]
async fn an_address_is_registered_once(client: &Client, session: Session) {
    let body = json!({ "email": "ann@example.org", "name": "Ann" });
    client.post("/customers", body).await.expect(201);
    let again = json!({ "email": "ANN@example.org", "name": "Another" });
    let problem = client
        .post("/customers", again)
        .await
        .problem(409, "duplicate");
    assert_eq!(
        problem["detail"],
        "customer with email `ann@example.org` already exists"
    );
    assert_eq!(Customer::find().count(&session).await.unwrap(), 1);
}

/// On PostgreSQL the error would poison an ordinary transaction around the test.
#[green_light::test]
async fn the_session_survives_a_conflict(session: Session) -> bookshop::Result<()> {
    customers::register(&session, ann()).await?;
    let error = customers::register(&session, ann()).await.unwrap_err();
    assert!(
        matches!(error, Error::Duplicate { field: "email", .. }),
        "{error:?}"
    );
    assert_eq!(Customer::find().count(&session).await?, 1);
    customers::register(
        &session,
        Registration {
            email: "bob@example.org".into(),
            ..ann()
        },
    )
    .await?;
    assert_eq!(Customer::find().count(&session).await?, 2);
    Ok(())
}

#[green_light::test]
async fn what_is_no_address_is_refused(desk: &Desk) {
    let body = json!({ "email": "ann at example.org", "name": "Ann" });
    let problem = desk.post("/customers", body).await.problem(422, "invalid");
    assert_eq!(problem["detail"], "`email` must be an e-mail address");
}

#[green_light::test]
async fn an_unknown_customer_is_not_found(desk: &Desk, factory: &Factory) {
    let id = factory.customer().await.id + 1;
    let problem = desk
        .get(&format!("/customers/{id}"))
        .await
        .problem(404, "not-found");
    assert_eq!(problem["detail"], format!("customer {id} does not exist"));
    desk.get(&format!("/customers/{id}/orders"))
        .await
        .problem(404, "not-found");
}
