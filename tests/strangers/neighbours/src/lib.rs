//! Nothing: the tests are what is shown.
