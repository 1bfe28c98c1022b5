//! Fixtures of scope `run`: which run a process belongs to, and how it gets a value from the process that keeps it.
//!
//! Each instance has a keeper, a process that sets the fixture up, hands its value to all processes of the run, and
//! tears it down when the run has ended. The keeper is the test program itself; `test/keeper` is what it does.

#[cfg(target_os = "linux")]
pub(crate) mod address;
pub(crate) mod answer;
#[cfg(target_os = "linux")]
pub(crate) mod assignment;
#[cfg_attr(not(target_os = "linux"), path = "unsupported.rs")]
pub(crate) mod client;
#[cfg(target_os = "linux")]
pub(crate) mod current_run;
pub(crate) mod instance_id;
#[cfg(target_os = "linux")]
pub(crate) mod keeper_files;
#[cfg(target_os = "linux")]
pub(crate) mod message;
#[cfg(target_os = "linux")]
pub(crate) mod process;
#[cfg(target_os = "linux")]
pub(crate) mod start;
