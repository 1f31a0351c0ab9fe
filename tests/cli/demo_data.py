# SPDX-License-Identifier: Apache-2.0
"""The zoo of the demo and items drawn for it; what a run over them came to."""
import json
import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

DEMO = Path(os.environ.get("FEW_TEST_DEMO", ROOT / "demo"))
ZOO = DEMO / "zoo.yaml"
MODELS = [line.split(":")[1].strip() for line in ZOO.read_text().splitlines() if line.startswith("  - name:")]


def draw(folder, count):
    """scene_00000.jpg, scene_00001.jpg, scene_00002.png, ..."""
    subprocess.run([sys.executable, str(DEMO / "draw.py"), str(folder), str(count)], check=True, capture_output=True)
    return sorted(folder.iterdir())


def many(folder, count, of):
    """So many items, all different: copies of a few files with a few bytes after their end, which no decoder minds."""
    folder.mkdir()
    names = [folder / f"m{i:05d}{of[i % len(of)].suffix}" for i in range(count)]
    pictures = [path.read_bytes() for path in of]
    for i, name in enumerate(names):
        name.write_bytes(pictures[i % len(of)] + f"{i:05d}".encode())
    return names


def without_times(rows):
    return [{key: value for key, value in row.items() if key != "time_ms"} for row in rows]


def rows_of(fewer, store):
    """The lines of the export, checked: every item of the store with every model once, in order."""
    got = fewer("export", store)
    assert got.returncode == 0, got.stderr
    rows = [json.loads(line) for line in got.stdout.splitlines()]
    assert len(rows) % len(MODELS) == 0
    for i, row in enumerate(rows):
        assert row["model"] == MODELS[i % len(MODELS)]
        assert row["item"] == rows[i - i % len(MODELS)]["item"]
    return rows


def counts_add_up(summary, rows):
    """The six counts of --json, their sum and the exported lines agree."""
    assert sum(summary["counts"].values()) == summary["items"] * summary["models"] == len(rows)
    for outcome, number in summary["counts"].items():
        assert sum(row["status"] == outcome for row in rows) == number
