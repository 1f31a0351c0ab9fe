# SPDX-License-Identifier: Apache-2.0
"""The photo zoo in less memory than it wants: the process stays under the budget and a fixed rest, sampled all the
time, and every model still gets its turn on every photograph."""

import json
import os
import pathlib
import subprocess
import threading

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FEW_BUILD", SOURCE / "build"))
ZOO = pathlib.Path(os.environ.get("FEW_TEST_ZOO", SOURCE.parent / "shared" / "zoo"))
BUDGET, REST = 300, 80  # MiB; REST: the program, its libraries, pixels and tensors
ITEMS = 6

pytestmark = pytest.mark.skipif(not (ZOO / "images").exists(), reason="the real zoo is not here")


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def sample(process, samples, stop):
    while not stop.wait(0.005):
        try:
            samples.append(resident_mib(process.pid))
        except (FileNotFoundError, ProcessLookupError):
            return


def test_every_model_has_its_turn_within_the_budget(tmp_path):
    words = [BUILD / "fewer", "label", "examples/photo-zoo/zoo.yaml", "--root", ZOO, ZOO / "images", "--limit", ITEMS,
             "--all-variants", "--lanes", 2, "--memory", f"{BUDGET}MiB", "-o", tmp_path / "run.db", "--json"]
    process = subprocess.Popen([str(word) for word in words], cwd=SOURCE, stdout=subprocess.PIPE, text=True)
    samples, stop = [], threading.Event()
    watcher = threading.Thread(target=sample, args=(process, samples, stop))
    watcher.start()
    said = process.communicate()[0]
    stop.set()
    watcher.join()
    counts = json.loads(said)["counts"]
    print(f"largest of {len(samples)} samples: {max(samples):.1f} MiB; {counts}")
    assert process.returncode == 0
    assert sum(counts.values()) == ITEMS * 34
    assert counts["late"] == counts["failed"] == 0
    exported = subprocess.run([BUILD / "fewer", "export", tmp_path / "run.db", "--format", "jsonl"], check=True,
                              capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in exported.splitlines()]
    skipped = [row for row in rows if row["status"] == "skipped" and "found nothing" not in row["reason"]]
    assert skipped == []
    assert max(samples) <= BUDGET + REST
