# SPDX-License-Identifier: Apache-2.0
"""bench/run.py collects what the benchmarks print, and says which of them failed."""
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINE = {"name": "decide_30", "ours": 1.25, "theirs": 3, "peer": "bound", "unit": "us", "ratio": 2.4, "calib_ns": 9}


def run(tmp_path, script, *names):
    program = tmp_path / "bench" / "decide"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    command = [sys.executable, ROOT / "bench" / "run.py", tmp_path, *names]
    got = subprocess.run(command, capture_output=True, text=True)
    results = tmp_path / "bench.json"
    return got, json.loads(results.read_text()) if results.exists() else None


def test_collects(tmp_path):
    got, results = run(tmp_path, f"echo '{json.dumps(LINE)}'", "decide_30", "decide_1000")
    assert got.returncode == 0
    assert results == [LINE, LINE]
    assert got.stdout.splitlines()[-1].split() == ["decide_30", "1.25", "3", "2.4", "us", "bound"]


def test_says_what_failed(tmp_path):
    got, results = run(tmp_path, "echo no such model >&2; exit 1", "decide_30")
    assert got.returncode == 1
    assert "decide_30: failed: no such model" in got.stdout
    assert results == []


def test_output_that_is_no_json(tmp_path):
    got, results = run(tmp_path, "echo '{broken'", "decide_30")
    assert got.returncode == 1
    assert results == []


def test_unknown_name(tmp_path):
    got, results = run(tmp_path, "true", "decide_31")
    assert got.returncode == 1
    assert "decide_31: expected decide_30" in got.stderr
    assert results is None
