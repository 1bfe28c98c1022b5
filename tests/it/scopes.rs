//! How long values live and who shares them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use green_light::Scope;
use green_light::prelude::*;

static PROCESS_SETUPS: AtomicU32 = AtomicU32::new(0);
static MODULE_SETUPS: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[fixture(scope = "process")]
async fn server(request: &Request) -> u32 {
    assert_eq!(
        request.test_name(),
        None,
        "a shared fixture belongs to no test"
    );
    // Long enough for other threads to ask meanwhile.
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    PROCESS_SETUPS.fetch_add(1, Ordering::SeqCst) + 1
}

#[fixture(scope = "module")]
async fn log(server: &u32, request: &Request) -> String {
    assert_eq!(*server, 1);
    let module = request.module_path().to_owned();
    MODULE_SETUPS.lock().unwrap().push(module.clone());
    module
}

#[fixture]
fn entry(log: &String) -> String {
    format!("{log}: entry")
}

macro_rules! in_modules {
    ($($module:ident)*) => {$(
        mod $module {
            use super::{entry, log, server, MODULE_SETUPS};

            #[green_light::test]
            fn shares_one_value_in_the_process(server: &u32) {
                assert_eq!(*server, 1);
            }

            #[green_light::test]
            fn has_its_own_value_in_the_module(log: &String, entry: &str) {
                assert_eq!(log, module_path!());
                assert!(entry.starts_with(module_path!()));
                let setups = MODULE_SETUPS.lock().unwrap();
                assert_eq!(setups.iter().filter(|module| *module == module_path!()).count(), 1);
            }

            #[green_light::test]
            fn shares_it_with_the_other_tests_of_the_module(log: String) {
                assert_eq!(log, module_path!());
            }
        }
    )*};
}

in_modules!(first second third);

#[cfg_attr(all(), fixture(scope = "module"))]
#[cfg_attr(not(all()), fixture)]
fn chosen(request: &Request) -> Scope {
    request.scope()
}

#[green_light::test]
fn is_chosen_where_it_is_declared(chosen: &Scope) {
    assert_eq!(*chosen, Scope::Module);
}
