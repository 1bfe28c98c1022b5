//! Connections counted by numbered locks of the whole server.

use std::{collections::HashMap, process};

use sqlx::Row as _;

use crate::mysql::admin::{AdminConnection, numbers};
use crate::mysql::registry_tables::connection_limit;
use crate::mysql::server::MySqlServer;
use crate::server::driver::ConnectionLocks;

/// How many locks are asked about in one message.
const CHUNK: usize = 64;
/// How often another process may be faster before this one waits.
const TRIES: usize = 3;
/// Holders that are shown.
const SHOWN: usize = 8;

impl ConnectionLocks for MySqlServer {
    async fn lock(
        admin: &mut AdminConnection,
        total: i32,
        count: usize,
        held: &[i32],
    ) -> Result<Vec<i32>, sqlx::Error> {
        let candidates = candidates(total, held);
        if candidates.len() < count {
            return Ok(Vec::new());
        }
        // The first ones are mostly free.
        let mut got = Self::lock_again(admin, &candidates[..count]).await?;
        for _ in 0..TRIES {
            let missing = count - got.len();
            let wanted = match missing {
                0 => break,
                _ => free(admin, &candidates, missing, &got).await?,
            };
            if wanted.len() < missing {
                break;
            }
            got.extend(Self::lock_again(admin, &wanted).await?);
        }
        if got.len() == count {
            return Ok(got);
        }
        Self::unlock(admin, &got).await?;
        Ok(Vec::new())
    }

    async fn lock_again(
        admin: &mut AdminConnection,
        wanted: &[i32],
    ) -> Result<Vec<i32>, sqlx::Error> {
        let mut got = Vec::new();
        for chunk in wanted.chunks(CHUNK) {
            let taken = numbers(admin, each("GET_LOCK", ", 0", chunk)).await?;
            let taken = chunk
                .iter()
                .zip(taken)
                .filter(|(_, taken)| *taken == Some(1));
            got.extend(taken.map(|(number, _)| *number));
        }
        Ok(got)
    }

    async fn unlock(admin: &mut AdminConnection, given: &[i32]) -> Result<(), sqlx::Error> {
        if given.is_empty() {
            return Ok(());
        }
        numbers(admin, each("RELEASE_LOCK", "", given))
            .await
            .map(drop)
    }

    async fn sessions(&self, admin: &mut AdminConnection) -> Result<String, sqlx::Error> {
        let sessions = "SELECT id FROM information_schema.processlist \
            WHERE user = substring_index(current_user(), '@', 1) ORDER BY id";
        let rows = admin.fetch_all(sessions).await?;
        let ids = rows.iter().map(|row| row.try_get_unchecked::<i64, _>(0));
        let ids: Vec<_> = ids.collect::<Result<_, _>>()?;
        Ok(format!("{ids:?}"))
    }

    async fn holders(admin: &mut AdminConnection) -> Result<Vec<(String, i64)>, sqlx::Error> {
        let mut programs = HashMap::new();
        let known = "SELECT connection, program FROM green_light.processes";
        for row in admin.fetch_all(known).await? {
            let connection: i64 = row.try_get(0)?;
            programs.insert(connection, row.try_get::<String, _>(1)?);
        }
        let all: Vec<_> = (1..=connection_limit(admin).await?).collect();
        let mut counts = HashMap::new();
        for chunk in all.chunks(CHUNK) {
            let users = numbers(admin, each("IS_USED_LOCK", "", chunk)).await?;
            for user in users.into_iter().flatten() {
                *counts.entry(user).or_insert(0) += 1;
            }
        }
        let mut holders: Vec<_> = counts
            .into_iter()
            .map(|(user, count)| {
                let program = programs.remove(&user);
                (
                    program.unwrap_or_else(|| format!("connection {user}")),
                    count,
                )
            })
            .collect();
        holders.sort_by(|(a, most), (b, more)| more.cmp(most).then_with(|| a.cmp(b)));
        holders.truncate(SHOWN);
        Ok(holders)
    }
}

/// Numbers up to `total` that are not `held`. Processes that look at the same time begin in different places.
fn candidates(total: i32, held: &[i32]) -> Vec<i32> {
    let mut candidates: Vec<_> = (1..=total)
        .filter(|number| !held.contains(number))
        .collect();
    let start = process::id() as usize % candidates.len().max(1);
    candidates.rotate_left(start);
    candidates
}

/// Those of `candidates` that are free and not `held`, `count` of them if there are as many.
async fn free(
    connection: &mut AdminConnection,
    candidates: &[i32],
    count: usize,
    held: &[i32],
) -> Result<Vec<i32>, sqlx::Error> {
    let candidates: Vec<_> = candidates
        .iter()
        .copied()
        .filter(|number| !held.contains(number))
        .collect();
    let mut found = Vec::new();
    for chunk in candidates.chunks(CHUNK) {
        let free = numbers(connection, each("IS_FREE_LOCK", "", chunk)).await?;
        let free = chunk.iter().zip(free).filter(|(_, free)| *free == Some(1));
        found.extend(free.map(|(number, _)| *number).take(count - found.len()));
        if found.len() == count {
            break;
        }
    }
    Ok(found)
}

/// Calls `function` for the lock of each number.
fn each(function: &str, more: &str, numbers: &[i32]) -> String {
    let calls: Vec<_> = numbers
        .iter()
        .map(|number| format!("{function}('green_light.connection.{number}'{more})"))
        .collect();
    format!("SELECT {}", calls.join(", "))
}
