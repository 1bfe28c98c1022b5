//! Fixtures and tests that `macro_rules!` writes.

use green_light::prelude::*;

macro_rules! constant {
    ($name:ident: $type:ty = $value:expr) => {
        #[fixture]
        fn $name() -> $type {
            $value
        }
    };
}

macro_rules! expects {
    ($test:ident($name:ident: $type:ty) $value:expr, $timeout:expr) => {
        #[green_light::test(timeout = $timeout)]
        fn $test($name: $type) {
            assert_eq!($name, $value);
        }
    };
}

constant!(limit: u32 = 10);
expects!(injects_into_a_generated_test(limit: &u32) &10, "60s");

macro_rules! pair {
    ($test:ident) => {
        #[fixture]
        fn hidden() -> u32 {
            7
        }

        #[green_light::test]
        fn $test(hidden: u32) {
            assert_eq!(hidden, 7);
        }
    };
}

pair!(injects_by_a_name_of_the_macro);
