//! A shared fixture that fails, inherited by several tests.

use green_light::prelude::*;

#[fixture(scope = "process")]
async fn database() -> Result<u32, std::io::Error> {
    eprintln!("this is printed once");
    Err(std::io::Error::other("disk full"))
}

#[fixture(scope = "process")]
fn panicking() -> u32 {
    panic!("no luck");
}

#[fixture]
fn table(database: &u32) -> u32 {
    *database
}

#[green_light::test]
fn a(table: u32) {
    unreachable!("{table}");
}

#[green_light::test]
fn b(database: &u32) {
    unreachable!("{database}");
}

#[green_light::test]
fn c(panicking: &u32) {
    unreachable!("{panicking}");
}

#[green_light::test]
fn d(panicking: &u32) {
    unreachable!("{panicking}");
}

macro_rules! forty {
    ($($name:ident)*) => {$(
        #[green_light::test]
        fn $name(database: &u32) {
            unreachable!("{database}");
        }
    )*};
}

mod forty {
    use super::database;

    forty!(t00 t01 t02 t03 t04 t05 t06 t07 t08 t09 t10 t11 t12 t13 t14 t15 t16 t17 t18 t19
        t20 t21 t22 t23 t24 t25 t26 t27 t28 t29 t30 t31 t32 t33 t34 t35 t36 t37 t38 t39);
}
