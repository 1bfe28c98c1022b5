//! Checkout: copies, order and lines, all of them or nothing.
//!
//! A copy is sold by an `UPDATE` that takes it only when it is there. So no two buyers get the last
//! one, on any database and at any isolation level, and nobody has to try again. Rows of `stock` are
//! always changed in the order of their ids, so that two orders cannot lock each other out.

use std::{collections::BTreeMap, time::SystemTime};

use sea_orm::{
    ActiveValue::Set, DatabaseConnection, DatabaseTransaction, ExprTrait, IntoActiveModel, SqlErr,
    TransactionTrait, entity::prelude::*,
};
use serde::Deserialize;

use super::orders::OrderView;
use crate::{
    Error, Result,
    entity::{
        book, order,
        order::Status,
        order_line,
        prelude::{Book, OrderLine, Stock},
        stock,
    },
};

/// What a customer wants to buy.
#[derive(Clone, Debug, Deserialize)]
pub struct Basket {
    /// Who buys.
    pub customer_id: i32,
    /// What he buys; lines with the same book count together.
    pub lines: Vec<BasketLine>,
}

/// One book of a basket.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct BasketLine {
    /// The book.
    pub book_id: i32,
    /// How many copies of it, from 1 to 1,000.
    pub quantity: i32,
}

/// Sells what is in the basket, all of it or nothing.
///
/// # Errors
///
/// [`Error::Invalid`] for an empty basket or a quantity that cannot be, [`Error::OutOfStock`] when
/// copies are missing, [`Error::UnknownReference`] for an unknown book or customer. After any of
/// them the stock is as it was.
pub async fn checkout(db: &DatabaseConnection, basket: Basket) -> Result<OrderView> {
    let customer_id = basket.customer_id;
    let wanted = quantities(&basket.lines)?;
    let sold = db
        .transaction::<_, OrderView, Error>(move |txn| {
            Box::pin(async move { sell(txn, customer_id, &wanted).await })
        })
        .await?;
    Ok(sold)
}

/// The body of a checkout. Its first statement writes, so that on SQLite the transaction waits for
/// its turn at once instead of failing when it turns from a reader into a writer.
async fn sell(
    txn: &DatabaseTransaction,
    customer_id: i32,
    wanted: &BTreeMap<i32, i32>,
) -> Result<OrderView> {
    for (&book_id, &quantity) in wanted {
        take(txn, book_id, quantity).await?;
    }

    let books = Book::find()
        .filter(book::COLUMN.id.is_in(wanted.keys().copied()))
        .all(txn)
        .await?;
    let order = order::ActiveModel {
        customer_id: Set(customer_id),
        status: Set(Status::Placed),
        placed_at: Set(SystemTime::now().into()),
        ..Default::default()
    };
    let order = order
        .insert(txn)
        .await
        .map_err(|error| match error.sql_err() {
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => Error::UnknownReference {
                what: "customer",
                id: customer_id,
            },
            _ => error.into(),
        })?;

    let lines: Vec<_> = books
        .into_iter()
        .map(|book| order_line::Model {
            order_id: order.id,
            book_id: book.id,
            quantity: wanted[&book.id],
            unit_price_cents: book.price_cents,
        })
        .collect();
    let rows = lines
        .iter()
        .cloned()
        .map(|line| line.into_active_model().reset_all());
    OrderLine::insert_many(rows)
        .exec_without_returning(txn)
        .await?;
    Ok(OrderView::new(&order, lines))
}

/// Takes copies out of the stock if they are there.
async fn take(txn: &DatabaseTransaction, book_id: i32, quantity: i32) -> Result<()> {
    let done = Stock::update_many()
        .col_expr(
            stock::Column::Copies,
            Expr::col(stock::Column::Copies).sub(quantity),
        )
        .filter(stock::COLUMN.book_id.eq(book_id))
        .filter(stock::COLUMN.copies.gte(quantity))
        .exec(txn)
        .await?;
    if done.rows_affected == 1 {
        return Ok(());
    }
    match Stock::find_by_id(book_id).one(txn).await? {
        Some(stock) => Err(Error::OutOfStock {
            book_id,
            requested: quantity,
            available: stock.copies,
        }),
        None => Err(Error::UnknownReference {
            what: "book",
            id: book_id,
        }),
    }
}

/// How many copies of each book, in the order of their ids.
fn quantities(lines: &[BasketLine]) -> Result<BTreeMap<i32, i32>> {
    const WRONG: Error = Error::Invalid {
        field: "quantity",
        why: "must be from 1 to 1000",
    };
    let mut wanted = BTreeMap::new();
    for line in lines {
        if !(1..=1000).contains(&line.quantity) {
            return Err(WRONG);
        }
        let quantity = wanted.entry(line.book_id).or_insert(0);
        *quantity += line.quantity;
        if *quantity > 1000 {
            return Err(WRONG);
        }
    }
    if wanted.is_empty() {
        return Err(Error::Invalid {
            field: "lines",
            why: "must not be empty",
        });
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::{BasketLine, quantities};

    fn line(book_id: i32, quantity: i32) -> BasketLine {
        BasketLine { book_id, quantity }
    }

    #[test]
    fn lines_with_the_same_book_count_together() {
        let wanted = quantities(&[line(7, 1), line(3, 2), line(7, 4)]).unwrap();
        assert_eq!(wanted.into_iter().collect::<Vec<_>>(), [(3, 2), (7, 5)]);
    }

    #[test]
    fn impossible_baskets_are_refused() {
        for wrong in [
            &[][..],
            &[line(1, 0)],
            &[line(1, -1)],
            &[line(1, 600), line(1, 600)],
        ] {
            assert!(quantities(wrong).is_err(), "{wrong:?} passed");
        }
    }
}
