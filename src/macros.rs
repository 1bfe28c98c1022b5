//! What the options of `#[green_light::test]` give to the fixtures of databases.
//!
//! Not public API: the macros call these by name, on the user's token. They are macros themselves,
//! so that what needs a feature that is off says which, where the user asked for it.

/// `fixture, Type::Value`: the value, given to the fixture.
#[doc(hidden)]
#[macro_export]
macro_rules! __give {
    ($fixture:ident, $($value:tt)*) => {
        $crate::__private::Supplied {
            target: $crate::__private::definition_of(&$crate::fixtures::$fixture()),
            value: || $crate::__private::supply($crate::fixtures::$fixture(), $crate::$($value)*),
        }
    };
}

/// `isolation = ..`.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __isolation {
    (transaction) => {
        $crate::__give!(isolation, Isolation::Transaction)
    };
    (database) => {
        $crate::__give!(isolation, Isolation::Database)
    };
    (shared) => {
        $crate::__give!(isolation, Isolation::Shared)
    };
}

/// `isolation = ..`, without a database to isolate.
#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
#[doc(hidden)]
#[macro_export]
macro_rules! __isolation {
    ($name:ident) => {
        ::core::compile_error!(
            "there is no database to isolate\nhelp: turn on a feature of `green-light` in \
             `Cargo.toml`: `sqlite`, `postgres` or `mysql`"
        )
    };
}

/// `backends(..)`: one of them.
#[doc(hidden)]
#[macro_export]
macro_rules! __backend {
    (sqlite) => {
        $crate::__backend_sqlite!()
    };
    (postgres) => {
        $crate::__backend_postgres!()
    };
    (mysql) => {
        $crate::__backend_mysql!()
    };
}

#[cfg(feature = "sqlite")]
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_sqlite {
    () => {
        $crate::__give!(backend, Backend::Sqlite)
    };
}

#[cfg(not(feature = "sqlite"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_sqlite {
    () => {
        $crate::__without_feature!("sqlite")
    };
}

#[cfg(feature = "postgres")]
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_postgres {
    () => {
        $crate::__give!(backend, Backend::Postgres)
    };
}

#[cfg(not(feature = "postgres"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_postgres {
    () => {
        $crate::__without_feature!("postgres")
    };
}

#[cfg(feature = "mysql")]
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_mysql {
    () => {
        $crate::__give!(backend, Backend::MySql)
    };
}

#[cfg(not(feature = "mysql"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __backend_mysql {
    () => {
        $crate::__without_feature!("mysql")
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __without_feature {
    ($feature:literal) => {
        ::core::compile_error!(::core::concat!(
            "backend `",
            $feature,
            "` needs the feature `",
            $feature,
            "` of `green-light`\nhelp: write `features = [\"",
            $feature,
            "\"]` in `Cargo.toml`"
        ))
    };
}
