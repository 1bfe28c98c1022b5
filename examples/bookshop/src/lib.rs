//! A bookshop.
