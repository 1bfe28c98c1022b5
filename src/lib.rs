//! pytest-grade fixtures for async database tests.
