//! The guestbook, tested with green-light.
