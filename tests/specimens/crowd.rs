//! A member of a crowd that fails, fails the test.

use std::time::Duration;

use green_light::prelude::*;

#[green_light::test]
fn a_member_panics(crowd: Crowd) {
    for buyer in 0..3 {
        crowd.spawn(move |member| {
            member.wait(tokio::time::sleep(Duration::from_millis(1)));
            assert_ne!(buyer, 1, "out of stock");
        });
    }
    eprintln!("the body ends before its members");
}

#[green_light::test]
fn a_member_uses_the_wait_of_the_test(crowd: Crowd) {
    crowd.spawn(|_| green_light::wait(async {}));
}

#[green_light::test]
fn all_members_are_well(crowd: Crowd) {
    crowd.spawn(|member| member.wait(async {}));
}
