//! Fixtures requested without their values: by a test, and by `uses!` for a module.

use std::cell::RefCell;

use green_light::prelude::*;

thread_local! {
    // Each test has a thread of its own.
    static ORDER: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
}

macro_rules! noting {
    ($($name:ident $(($($option:tt)*))?),* $(,)?) => {$(
        #[fixture$(($($option)*))?]
        fn $name() {
            ORDER.with_borrow_mut(|order| order.push(stringify!($name)));
        }
    )*};
}

noting!(of_module, of_inner, of_test, parameter);

mod module {
    use super::*;

    noting!(first_of_all(autouse));

    green_light::uses!(of_module);

    #[green_light::test(uses(of_test))]
    fn comes_after_autouse_and_the_test_itself(_parameter: ()) {
        assert_eq!(
            ORDER.take(),
            ["first_of_all", "of_test", "of_module", "parameter"]
        );
    }

    mod inner {
        use super::super::{ORDER, of_inner, of_module};

        green_light::uses!(of_inner, of_module);

        #[green_light::test]
        fn reaches_the_modules_below() {
            assert_eq!(ORDER.take(), ["first_of_all", "of_inner", "of_module"]);
        }
    }
}

#[green_light::test]
fn reaches_no_other_module() {
    assert!(ORDER.take().is_empty());
}
