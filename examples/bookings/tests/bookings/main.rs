//! The service over HTTP/2, with a client of its own for each test.

mod client;

use bookings::message::{Booking, Night};
use client::client;
use green_light::prelude::*;
use tonic::{Code, Status};

#[fixture(overrides = green_light::fixtures::schema)]
fn schema() -> Schema {
    Schema::sqlx(sqlx::migrate!())
}

fn booking(room: i32, guest: &str) -> Booking {
    Booking {
        room,
        night: "2027-01-31".to_owned(),
        guest: guest.to_owned(),
    }
}

#[green_light::test]
async fn bookings_are_listed_by_room(mut client: client::Client) -> Result<(), Status> {
    for booking in [booking(103, "ann"), booking(101, "bob")] {
        client.book(booking).await?;
    }
    let night = Night {
        night: "2027-01-31".to_owned(),
    };
    let mut list = client.list(night).await?.into_inner();
    let mut found = Vec::new();
    while let Some(booking) = list.message().await? {
        found.push(booking);
    }
    assert_eq!(found, [booking(101, "bob"), booking(103, "ann")]);
    Ok(())
}

#[green_light::test]
async fn a_room_is_taken_once_a_night(mut client: client::Client) -> Result<(), Status> {
    client.book(booking(101, "ann")).await?;
    let refused = client.book(booking(101, "bob")).await.unwrap_err();
    assert_eq!(refused.code(), Code::AlreadyExists);
    assert_eq!(refused.message(), "room 101 is taken on 2027-01-31");
    Ok(())
}

#[green_light::test]
async fn there_are_rooms_that_do_not_exist(mut client: client::Client) {
    let refused = client.book(booking(999, "ann")).await.unwrap_err();
    assert_eq!(refused.message(), "there is no room 999");
}

#[green_light::test]
async fn the_next_test_finds_no_bookings(mut client: client::Client) -> Result<(), Status> {
    let night = Night {
        night: "2027-01-31".to_owned(),
    };
    let mut list = client.list(night).await?.into_inner();
    assert_eq!(list.message().await?, None);
    Ok(())
}
