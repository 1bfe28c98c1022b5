//! Prints what a context costs: `cargo bench -p green-light-core --bench context`.
//!
//! Figures are the best of several rounds, in nanoseconds; no limit is enforced here.

use std::future::Future;
use std::hint::black_box;
use std::time::Instant;

use green_light_core::context::{CancelToken, run_sync, wait};
use tokio::runtime::Builder;
use tokio::task::yield_now;

const TIMES: u32 = 10_000;
const ROUNDS: usize = 200;

fn main() {
    measure("`run_sync` of an empty closure", || async {
        for _ in 0..TIMES {
            run_sync(|| black_box(())).await;
        }
    });
    measure("`run_sync` below a cancel token", || async {
        let token = CancelToken::new();
        token
            .scope(async {
                for _ in 0..TIMES {
                    run_sync(|| black_box(())).await;
                }
            })
            .await;
    });
    measure("`wait` for a future that is ready", || {
        run_sync(|| {
            for _ in 0..TIMES {
                wait(black_box(async {}));
            }
        })
    });
    measure("`wait` that is suspended once", || {
        run_sync(|| {
            for _ in 0..TIMES {
                wait(yield_now());
            }
        })
    });
    measure("`.await` of the same, for comparison", || async {
        for _ in 0..TIMES {
            yield_now().await;
        }
    });
    measure("`wait` inside an async block, suspended once", || {
        run_sync(|| {
            wait(async {
                for _ in 0..TIMES {
                    wait(yield_now());
                }
            });
        })
    });
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn measure<F: Future<Output = ()>>(what: &str, work: impl Fn() -> F) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a benchmark needs a runtime");
    let round = || {
        let begin = Instant::now();
        runtime.block_on(work());
        begin.elapsed() / TIMES
    };
    let best = (0..ROUNDS).map(|_| round()).min().unwrap_or_default();
    println!("{what}: {best:?}");
}
