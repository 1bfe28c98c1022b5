//! What spawned tasks print must not be lost, whichever test they were spawned by.

#[green_light::test]
async fn a_builds_the_runtime() {
    tokio::spawn(async { eprintln!("printed by a task of a") })
        .await
        .unwrap();
}

#[green_light::test]
async fn b_prints_from_a_task() {
    tokio::spawn(async { println!("printed by a task of b") })
        .await
        .unwrap();
}

#[green_light::test]
async fn c_panics_in_a_task() {
    tokio::spawn(async { panic!("panic in a task of c") })
        .await
        .unwrap();
}

#[green_light::test]
async fn d_prints_from_a_blocking_task() {
    tokio::task::spawn_blocking(|| println!("printed by a blocking task of d"))
        .await
        .unwrap();
    panic!("so that the output is shown");
}

#[green_light::test]
fn e_panics_under_its_own_name() {
    panic!("panic on the test's thread");
}
