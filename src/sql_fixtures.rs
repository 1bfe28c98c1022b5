//! Fixtures that run SQL files in the tests that request them.

#[doc = include_str!("docs/sql_fixtures.md")]
#[macro_export]
macro_rules! sql_fixtures {
    ($($(#[$meta:meta])* $vis:vis $name:ident = $path:literal),+ $(,)?) => {
        $(
            $(#[$meta])*
            #[$crate::fixture(crate = $crate)]
            $vis async fn $name(
                #[from($crate::fixtures::session)] session: &$crate::Session,
            ) -> ::core::result::Result<(), $crate::Error> {
                session.run_script($path, ::core::include_str!($path)).await
            }
        )+
    };
}
