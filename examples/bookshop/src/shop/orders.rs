//! Orders after they were placed: looking back and calling off.

use sea_orm::{
    ActiveValue::Set, DatabaseConnection, ExprTrait, QueryOrder, TransactionTrait,
    entity::prelude::*,
};
use serde::Serialize;

use super::{Page, Paging, customers};
use crate::{
    Error, Result,
    entity::{
        order,
        order::Status,
        order_line,
        prelude::{Order, OrderLine, Stock},
        stock,
    },
};

/// An order as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// The order.
    pub id: i32,
    /// Who bought.
    pub customer_id: i32,
    /// Where it stands.
    pub status: Status,
    /// When it was placed.
    pub placed_at: DateTimeUtc,
    /// What was bought, by book.
    pub lines: Vec<order_line::Model>,
    /// What all of it cost.
    pub total_cents: i64,
}

impl OrderView {
    pub(super) fn new(order: &order::Model, mut lines: Vec<order_line::Model>) -> Self {
        lines.sort_by_key(|line| line.book_id);
        let cost =
            |line: &order_line::Model| i64::from(line.quantity) * i64::from(line.unit_price_cents);
        Self {
            id: order.id,
            customer_id: order.customer_id,
            status: order.status,
            placed_at: order.placed_at,
            total_cents: lines.iter().map(cost).sum(),
            lines,
        }
    }
}

/// Reads an order.
///
/// # Errors
///
/// [`Error::NotFound`].
pub async fn read(db: &DatabaseConnection, id: i32) -> Result<OrderView> {
    let order = Order::find_by_id(id)
        .one(db)
        .await?
        .ok_or(Error::NotFound { what: "order", id })?;
    let lines = order.find_related(OrderLine).all(db).await?;
    Ok(OrderView::new(&order, lines))
}

/// Lists the orders of a customer, newest first.
///
/// # Errors
///
/// [`Error::NotFound`] for an unknown customer, [`Error::Invalid`] for a page that cannot be.
pub async fn history(
    db: &DatabaseConnection,
    customer_id: i32,
    paging: Paging,
) -> Result<Page<OrderView>> {
    let paging = paging.checked()?;
    customers::read(db, customer_id).await?;
    let select = Order::find()
        .filter(order::COLUMN.customer_id.eq(customer_id))
        .order_by_desc(order::COLUMN.placed_at)
        .order_by_desc(order::COLUMN.id);
    let mut page = Page::read(select.paginate(db, paging.per_page), paging).await?;
    let orders = std::mem::take(&mut page.items);
    let lines = orders.load_many(OrderLine, db).await?;
    let views = orders
        .iter()
        .zip(lines)
        .map(|(order, lines)| OrderView::new(order, lines));
    Ok(page.with_items(views.collect()))
}

/// Calls an order off and puts its copies back.
///
/// # Errors
///
/// [`Error::NotFound`] for an unknown order, [`Error::AlreadyCancelled`] the second time.
pub async fn cancel(db: &DatabaseConnection, id: i32) -> Result<OrderView> {
    let txn = db.begin().await?;
    let done = Order::update_many()
        .set(order::ActiveModel {
            status: Set(Status::Cancelled),
            ..Default::default()
        })
        .filter(order::COLUMN.id.eq(id))
        .filter(order::COLUMN.status.eq(Status::Placed))
        .exec(&txn)
        .await?;
    if done.rows_affected == 0 {
        txn.rollback().await?;
        read(db, id).await?;
        return Err(Error::AlreadyCancelled { id });
    }
    let lines = OrderLine::find()
        .filter(order_line::COLUMN.order_id.eq(id))
        .order_by_asc(order_line::COLUMN.book_id)
        .all(&txn)
        .await?;
    for line in &lines {
        Stock::update_many()
            .col_expr(
                stock::Column::Copies,
                Expr::col(stock::Column::Copies).add(line.quantity),
            )
            .filter(stock::COLUMN.book_id.eq(line.book_id))
            .exec(&txn)
            .await?;
    }
    txn.commit().await?;
    read(db, id).await
}
