# Runs all tests, built so that they count the lines they run, and shows the counts. Arguments are those
# of `cargo llvm-cov report`. In the root of the workspace; `cargo xtask coverage` sees to that.
set -eu

: "${CARGO:=cargo}"
export CARGO_TARGET_DIR="$PWD/target/coverage"
# In a shell that counts lines already, cargo-llvm-cov would take itself for another wrapper of rustc, and call
# itself without end.
[ -z "${CARGO_LLVM_COV:-}" ] || unset RUSTC_WRAPPER
variables=$("$CARGO" llvm-cov show-env --sh)
eval "$variables"
# What a process that a test has killed leaves may be half a file.
export LLVM_PROFDATA_FLAGS=-failure-mode=all
"$CARGO" llvm-cov clean --profraw-only

"$CARGO" nextest run --locked --workspace --all-features

# All of check.rs is evaluated by the compiler, and by nothing that runs.
report() {
    "$CARGO" llvm-cov report -p green-light -p green-light-core -p green-light-macros \
        -p green-light-fixtures --ignore-filename-regex "core/src/fixture/check.rs" "$@"
}
[ $# -eq 0 ] || report "$@"
report --fail-under-lines 95
