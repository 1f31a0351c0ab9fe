#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run_paper.sh BUILD PYTHON [TABLE...]: AMS's tables on the made-up world (all, or those named) into BUILD/paper/TABLE.jsonl, and
# all that are there, beside the published numbers, into BUILD/paper/tables.md.
set -eu
build=$1 python=$2
shift 2
[ $# -gt 0 ] || set -- baselines sets agents agent priority transfer
mkdir -p "$build/paper"
for table in "$@"; do
    echo "$table ..."
    "$build/bench/paper/ams_table" "$table" bench/paper/rules.yaml >"$build/paper/$table.part"
    mv "$build/paper/$table.part" "$build/paper/$table.jsonl"
done
"$python" bench/paper/ams_print.py "$build"/paper/*.jsonl >"$build/paper/tables.md"
cat "$build/paper/tables.md"
