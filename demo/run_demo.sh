#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The demo, by `./run demo`: run_demo.sh [BUILD_DIR]. Draws photographs of an invented world, records what every model
# says about some of them, learns from that which of them an item needs, and labels the others: for nine tenths of what
# running everything would find, and then in a hurry.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build}
out=$build/demo
fewer=$build/fewer
deadline=6ms
python=.venv/bin/python
[ -x "$python" ] || python=python3

say() { printf '\n%s\n' "$1"; }
run() { printf '$ %s\n' "$*"; "$@"; }

# draw PART COUNT FIRST_SEED: once; what an interrupted run left is drawn again.
draw() {
    [ -f "$out/items/$1.done" ] && return
    rm -rf "$out/items/$1"
    "$python" demo/draw.py "$out/items/$1" "$2" --seed "$3"
    : >"$out/items/$1.done"
}

mkdir -p "$out/items"
say "1. Items: 200 scenes to learn from and 300 new ones, in $out/items"
draw train 200 2000000
draw new 300 2100000

say "2. The zoo: 17 small models. Each is loaded and timed."
run "$fewer" check demo/zoo.yaml

say "3. Run every model on the 200, once, and keep what they said."
run "$fewer" record demo/zoo.yaml "$out/items/train" -o "$out/trace.db" --force

say "4. Replay it: how much would each policy have had to run?"
run "$fewer" eval "$out/trace.db" -o "$out/eval.html" --force

say "5. Learn from it what each model is worth on an item, given what was said so far, and where to stop."
run "$fewer" train "$out/trace.db" -o "$out/policy.safetensors" --split 100 --method static,value_net --threads 2 --force

say "6. The main job: label the 300 new items, for 90% of what everything would find."
run "$fewer" label demo/zoo.yaml "$out/items/new" --policy "$out/policy.safetensors" --recall 0.9 -o "$out/run.db" --force

say "7. What came out, a line an item and model:"
run "$fewer" export "$out/run.db" --format jsonl -o "$out/run.jsonl" --force
head -n 5 "$out/run.jsonl" | cut -c 1-180

say "8. The same in a hurry: $deadline for each, decoding included."
run "$fewer" label demo/zoo.yaml "$out/items/new" --policy "$out/policy.safetensors" --deadline "$deadline" \
    -o "$out/hurry.db" --force

say "9. What was lost? Run every model on the 300 too, and measure the report's run against that."
run "$fewer" record demo/zoo.yaml "$out/items/new" -o "$out/all.db" --force
run "$fewer" report "$out/run.db" --trace "$out/all.db" -o "$out/report.html" --force

say "The report is in $out/report.html"
