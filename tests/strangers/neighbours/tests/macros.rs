//! Tests and fixtures that a `macro_rules!` writes from fragments.

use green_light::prelude::*;

macro_rules! fixtures {
    ($($vis:vis $name:ident: $ty:ty = $value:expr, $scope:literal;)*) => {$(
        #[fixture(scope = $scope)]
        $vis fn $name() -> $ty {
            $value
        }
    )*};
}

fixtures! {
    number: u32 = 7, "process";
    pub text: String = "seven".to_owned(), "test";
}

macro_rules! fallible {
    ($name:ident -> $ty:ty, $body:block) => {
        #[fixture]
        async fn $name() -> $ty $body
    };
}

fallible!(parsed -> Result<u32, std::num::ParseIntError>, { "7".parse() });

macro_rules! tests {
    ($($name:ident($($arg:ident: $ty:ty),*) $body:block)*) => {$(
        #[green_light::test]
        async fn $name($($arg: $ty),*) $body
    )*};
}

tests! {
    a_block_is_a_body(number: u32, text: &str) {
        assert_eq!((number, text), (7, "seven"));
    }
    another(parsed: &u32) {
        assert_eq!(*parsed, 7);
    }
}

macro_rules! returning {
    ($name:ident -> $ty:ty $body:block) => {
        #[green_light::test(timeout = "60s")]
        fn $name(mut text: String) -> $ty {
            text.push('!');
            assert_eq!(text, "seven!");
            $body
        }
    };
}

returning!(a_return_type -> Result<(), String> { Ok(()) });

macro_rules! by_path {
    ($name:ident, $path:path, $other:path, $pat:ident, $check:expr, $limit:expr, $item:item) => {
        #[green_light::test(uses($other), timeout = $limit)]
        fn $name(#[from($path)] $pat: u32) {
            assert!($check);
        }

        #[green_light::test]
        $item
    };
}

by_path!(
    a_path_names_a_fixture,
    number,
    self::text,
    _given,
    1 + 1 == 2,
    "60s",
    fn an_item_is_a_test(number: u32) {
        assert_eq!(number, 7);
    }
);

macro_rules! overriding {
    ($path:path, $name:ident, $value:expr) => {
        #[fixture(overrides = $path)]
        fn $name() -> u32 {
            $value
        }
    };
}

mod inner {
    use super::*;

    overriding!(super::number, number, 8);

    tests! {
        an_override_by_fragments(number: u32) {
            assert_eq!(number, 8);
        }
    }
}

macro_rules! cases {
    ($name:ident, $($value:expr),*) => {
        #[green_light::test]
        fn $name(#[values($($value),*)] value: u32, mut text: String, number: u32) {
            text.push('!');
            assert!(value < number && text == "seven!");
        }
    };
}

cases!(values_by_fragments, 1, 2 + 3);
