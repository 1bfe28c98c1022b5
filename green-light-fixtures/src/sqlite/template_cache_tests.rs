//! Images kept in files: built once, read whole or not at all, and never in the way.

use std::{
    env,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteOwnedBuf},
};
use tempfile::TempDir;

use crate::failpoint;
use crate::schema::definition::Schema;
use crate::sqlite::sandbox::Image;
use crate::sqlite::template_cache::TemplateCache;
use crate::sqlite::template_prune;

/// Where a child keeps its images.
const BASE: &str = "TEST_IMAGE_BASE";
/// More than there are.
const MANY: usize = 50;
const WAIT: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(60 * 60);

/// A schema of `rows` rows, so many that its image is not written in one block.
fn schema(rows: usize) -> Schema {
    let values: Vec<_> = (0..rows).map(|row| format!("({row})")).collect();
    let insert = format!("INSERT INTO one VALUES {}", values.join(", "));
    Schema::sql(format!("CREATE TABLE one (x INT); {insert}"))
}

async fn cache(base: &Path, schema: &Schema, run: Option<&'static str>) -> TemplateCache {
    let options = SqliteConnectOptions::new();
    let cache = TemplateCache::below(Some(base), schema, &options, run).await;
    cache.unwrap()
}

/// How many rows there are in the image, and whether it was built.
async fn obtain(cache: &TemplateCache, schema: &Schema) -> (i64, bool) {
    let options = SqliteConnectOptions::new();
    let (image, built) = cache.find_or_build(schema, &options, WAIT).await.unwrap();
    (rows(&image).await, built)
}

async fn obtain_below(base: &Path, schema: &Schema) -> (i64, bool) {
    obtain(&cache(base, schema, None).await, schema).await
}

async fn rows(image: &Image) -> i64 {
    let options = SqliteConnectOptions::new().filename(":memory:");
    let mut connection = options.connect().await.unwrap();
    let image = SqliteOwnedBuf::try_from(&**image).unwrap();
    connection.deserialize(None, image, false).await.unwrap();
    let whole: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(whole, "ok");
    let count = AssertSqlSafe("SELECT count(*) FROM one");
    let rows = sqlx::query_scalar(count).fetch_one(&mut connection).await;
    connection.close().await.unwrap();
    rows.unwrap()
}

/// The files that are there, by their extension.
fn files(base: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(base.join("images")).into_iter().flatten();
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|found| found == extension));
    paths
}

/// The only image.
#[track_caller]
fn image(base: &Path) -> PathBuf {
    let images = files(base, template_prune::IMAGE);
    assert_eq!(images.len(), 1, "{images:?}");
    images[0].clone()
}

fn age(path: &Path, age: Duration) {
    let file = File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

/// This program, to run the test `name` alone, keeping its images below `base`.
fn child(name: &str, base: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            &format!("sqlite::template_cache_tests::{name}"),
            "--nocapture",
        ])
        .env(BASE, base)
        .stdin(Stdio::null());
    command
}

fn base() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_builder_of_an_image_killed_at_any_step_leaves_nothing_that_is_taken_for_one() {
    let schema = schema(2_000);
    if let Some(base) = env::var_os(BASE) {
        obtain_below(Path::new(&base), &schema).await;
        println!("after all");
        return;
    }
    let name = "a_builder_of_an_image_killed_at_any_step_leaves_nothing_that_is_taken_for_one";
    let mut last = Vec::new();
    for number in 0..MANY {
        let base = base();
        // Something to remove, at the end.
        let old = base.path().join("images").join("0123456789abcdef");
        fs::create_dir(base.path().join("images")).unwrap();
        fs::write(old.with_extension(template_prune::DRAFT), "x").unwrap();
        age(&old.with_extension(template_prune::DRAFT), 2 * HOUR);
        let output = child(name, base.path())
            .env(failpoint::VARIABLE, number.to_string())
            .output();
        let said = String::from_utf8(output.unwrap().stdout).unwrap();
        let (rows, built) = obtain_below(base.path(), &schema).await;
        assert_eq!(rows, 2_000, "{number}: {said}");
        assert_eq!(built, !said.contains("step kept"), "{number}: {said}");
        assert_eq!(obtain_below(base.path(), &schema).await, (2_000, false));
        image(base.path());
        let drafts = files(base.path(), template_prune::DRAFT);
        assert!(
            drafts
                .iter()
                .all(|draft| *draft == old.with_extension(template_prune::DRAFT)),
            "{drafts:?}"
        );
        if said.contains("after all") {
            break;
        }
        let step = said
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("step "));
        last.push(step.unwrap_or_default().to_owned());
    }
    let steps = ["lock", "built", "half", "written", "kept", "pruned"];
    assert_eq!(last, steps);
}

#[tokio::test]
async fn a_damaged_image_is_built_again() {
    let (base, schema) = (base(), schema(300));
    assert_eq!(obtain_below(base.path(), &schema).await, (300, true));
    assert_eq!(obtain_below(base.path(), &schema).await, (300, false));
    let path = image(base.path());
    let whole = fs::read(&path).unwrap();
    let mut damaged: Vec<Vec<u8>> = (0..whole.len())
        .step_by(997)
        .map(|length| whole[..length].to_vec())
        .collect();
    for at in (0..whole.len()).step_by(1_009) {
        let mut changed = whole.clone();
        changed[at] ^= 4;
        damaged.push(changed);
    }
    damaged.push(vec![0; whole.len()]);
    for file in damaged {
        fs::write(&path, file).unwrap();
        assert_eq!(obtain_below(base.path(), &schema).await, (300, true));
        assert_eq!(obtain_below(base.path(), &schema).await, (300, false));
    }
}

#[tokio::test]
async fn a_changed_byte_is_another_image_and_the_old_text_finds_the_old_one() {
    let base = base();
    for (rows, built) in [(1, true), (2, true), (1, false), (2, false)] {
        let (found, was_built) = obtain_below(base.path(), &schema(rows)).await;
        assert_eq!((found, was_built), (rows as i64, built));
    }
    // Options decide on what is in it as well.
    let plain = SqliteConnectOptions::new();
    let one = schema(1);
    for (options, built) in [
        (plain.clone().page_size(8192), true),
        (plain.clone().page_size(8192), false),
        (plain.clone().pragma("encoding", "'UTF-16'"), true),
        (plain.clone(), false),
    ] {
        let cache = TemplateCache::below(Some(base.path()), &one, &options, None).await;
        let (image, was_built) = cache
            .unwrap()
            .find_or_build(&one, &options, WAIT)
            .await
            .unwrap();
        assert_eq!((rows(&image).await, was_built), (1, built), "{options:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_told_from_outside_is_not_kept() {
    let below = |schema: Schema, options: SqliteConnectOptions| async move {
        let base = base();
        TemplateCache::below(Some(base.path()), &schema, &options, None)
            .await
            .is_some()
    };
    let plain = SqliteConnectOptions::new();
    assert!(
        TemplateCache::below(None, &schema(1), &plain, None)
            .await
            .is_none()
    );
    assert!(below(schema(1), plain.clone()).await);
    let rows = 3;
    let seeded = schema(1).seed(async move |_: &_| if rows > 3 { Err("no") } else { Ok(()) });
    assert!(!below(seeded.clone(), plain.clone()).await);
    assert!(below(seeded.key("3 rows"), plain.clone()).await);
    assert!(!below(schema(1), plain.collation("backwards", |a, b| b.cmp(a))).await);
}

#[tokio::test]
async fn two_checkouts_have_images_of_their_own() {
    let (one, two, schema) = (base(), base(), schema(1));
    for checkout in [&one, &two] {
        assert_eq!(obtain_below(checkout.path(), &schema).await, (1, true));
        assert_eq!(obtain_below(checkout.path(), &schema).await, (1, false));
    }
}

#[tokio::test]
async fn where_nothing_can_be_written_it_is_built_in_memory() {
    let schema = schema(2_000);
    if let Some(base) = env::var_os(BASE) {
        println!("found {:?}", obtain_below(Path::new(&base), &schema).await);
        return;
    }
    let base = base();
    let occupied = base.path().join("file");
    fs::write(&occupied, "").unwrap();
    for _ in 0..2 {
        assert_eq!(obtain_below(&occupied, &schema).await, (2_000, true));
    }
    // A full disk, for all that a process can see of it: a file may not grow.
    let name = "where_nothing_can_be_written_it_is_built_in_memory";
    let child = child(name, base.path());
    let limited = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let mut full = Command::new("sh");
    full.args(["-c", limited])
        .arg(child.get_program())
        .args(child.get_args())
        .env(BASE, base.path());
    let output = full.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && said.contains("found (2000, true)"),
        "{said}"
    );
    assert_eq!(
        files(base.path(), template_prune::IMAGE),
        [] as [PathBuf; 0]
    );
    assert_eq!(
        files(base.path(), template_prune::DRAFT),
        [] as [PathBuf; 0]
    );
    assert_eq!(
        files(base.path(), template_prune::LOCK).len(),
        1,
        "it came that far"
    );
    assert_eq!(obtain_below(base.path(), &schema).await, (2_000, true));
}

#[tokio::test]
async fn a_builder_that_hangs_is_not_waited_for_for_ever() {
    let (base, schema) = (base(), schema(1));
    let mut cache = cache(base.path(), &schema, None).await;
    obtain(&cache, &schema).await;
    fs::remove_file(image(base.path())).unwrap();
    let lock = File::open(&files(base.path(), template_prune::LOCK)[0]).unwrap();
    lock.lock().unwrap();
    cache.limit = Duration::from_millis(100);
    assert_eq!(obtain(&cache, &schema).await, (1, true));
    assert_eq!(
        files(base.path(), template_prune::IMAGE),
        [] as [PathBuf; 0],
        "it has no turn"
    );
    // A lock whose owner has gone does no harm.
    drop(lock);
    assert_eq!(obtain(&cache, &schema).await, (1, true));
    assert_eq!(obtain(&cache, &schema).await, (1, false));
}

#[tokio::test]
async fn an_image_is_built_anew_once_in_a_run_that_asks_for_it() {
    let (base, schema) = (base(), schema(1));
    for (run, built) in [
        (None, true),
        (Some("one"), true),
        (Some("one"), false),
        (None, false),
        (Some("two"), true),
        (Some("two"), false),
    ] {
        let cache = cache(base.path(), &schema, run).await;
        assert_eq!(obtain(&cache, &schema).await, (1, built), "{run:?}");
    }
}

#[tokio::test]
async fn images_that_nobody_uses_go_and_those_in_use_stay() {
    let base = base();
    let directory = base.path().join("images");
    let mut all = Vec::new();
    for rows in 1..=16 {
        let before = files(base.path(), template_prune::IMAGE);
        obtain_below(base.path(), &schema(rows)).await;
        let mut after = files(base.path(), template_prune::IMAGE);
        after.retain(|path| !before.contains(path));
        all.append(&mut after);
    }
    let foreign = directory.join("notes.image");
    fs::write(&foreign, "").unwrap();
    let dead = directory.join("00112233445566ff");
    for extension in [template_prune::DRAFT, template_prune::LOCK] {
        fs::write(dead.with_extension(extension), "").unwrap();
        age(&dead.with_extension(extension), 2 * HOUR);
    }
    template_prune::remove_unused(&directory);
    assert!(all.iter().all(|path| path.exists()), "within the hour");
    assert!(!dead.with_extension(template_prune::DRAFT).exists());
    assert!(!dead.with_extension(template_prune::LOCK).exists());
    for (number, path) in all.iter().enumerate() {
        // The first is the oldest.
        let more = Duration::from_secs(1_000 - number as u64);
        age(path, 2 * HOUR + more);
        age(&path.with_extension(template_prune::LOCK), 2 * HOUR + more);
    }
    age(&foreign, 9 * HOUR);
    // Used again; and being built.
    assert_eq!(obtain_below(base.path(), &schema(1)).await, (1, false));
    let building = File::open(all[1].with_extension(template_prune::LOCK)).unwrap();
    building.lock().unwrap();
    template_prune::remove_unused(&directory);
    let there = all.iter().map(|path| path.exists());
    let expected = (0..16).map(|number| !(2..=4).contains(&number));
    assert!(
        there.eq(expected),
        "{:?}",
        files(base.path(), template_prune::IMAGE)
    );
    assert!(foreign.exists());
    assert_eq!(obtain_below(base.path(), &schema(3)).await, (3, true));
}
