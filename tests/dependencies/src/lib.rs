//! The dependencies of green-light, with all their features that it turns on.
