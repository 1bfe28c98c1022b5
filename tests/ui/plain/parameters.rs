//! Plain tests that ask for fixtures: rustc alone has a say there.

struct Session;

#[test]
fn reads(session: Session) {}

#[test]
async fn writes() {}
