//! One Redis for all tests of a run, and keys of its own for each test.

use std::io;
use std::process::Stdio;
use std::time::Duration;

use green_light::prelude::*;
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, Client, RedisError};
use serde::{Deserialize, Serialize};
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::time::sleep;

/// Where Redis listens.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RedisUrl(String);

/// A Redis without a port, which keeps nothing on the disk.
#[fixture(scope = "run")]
async fn redis_url(out: Yield<RedisUrl>) -> io::Result<()> {
    let directory = tempfile::tempdir()?;
    let socket = directory.path().join("redis");
    let mut command = Command::new("redis-server");
    command
        .args(["--port", "0", "--save", "", "--unixsocket"])
        .arg(&socket)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let mut server = command.spawn().map_err(|error| {
        let cure = "install it (`apt-get install redis-server`); its service need not run";
        io::Error::new(error.kind(), format!("`redis-server`: {error}; {cure}"))
    })?;
    while UnixStream::connect(&socket).await.is_err() {
        if let Some(status) = server.try_wait()? {
            return Err(io::Error::other(format!("`redis-server` ended: {status}")));
        }
        sleep(Duration::from_millis(5)).await;
    }
    out.give(RedisUrl(format!("redis+unix://{}", socket.display())))
        .await;
    server.kill().await
}

/// Keys that no other test has.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) redis: MultiplexedConnection,
    pub(crate) prefix: String,
}

/// The keys of a test begin with a number that Redis has given to no other one. They are removed at its end.
#[fixture]
pub(crate) async fn keys(redis_url: &RedisUrl, out: Yield<Keys>) -> Result<(), RedisError> {
    let client = Client::open(&*redis_url.0)?;
    let mut redis = client.get_multiplexed_async_connection().await?;
    let number: u64 = redis.incr("tests", 1).await?;
    let prefix = format!("test-{number}");
    let keys = Keys {
        redis: redis.clone(),
        prefix: prefix.clone(),
    };
    out.give(keys).await;
    let left: Vec<String> = redis.keys(format!("{prefix}:*")).await?;
    if !left.is_empty() {
        let () = redis.del(left).await?;
    }
    Ok(())
}
