#!/bin/sh
# Writes the seeds of all fuzz targets into fuzz/corpus: the test suite makes them, so that no file of ours holds a key.
set -eu
cd "$(dirname "$0")/.."
CREDTRACE_WRITE_SEEDS="$PWD/fuzz/corpus" exec cargo test --test main suite::fuzz::seeds
