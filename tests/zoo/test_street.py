# SPDX-License-Identifier: Apache-2.0
"""Vehicles and persons of the street zoo, counted from detections, beside counts made by eye on 50 frames of the clips.

street_frames.json has [low, high] of each: low counts what is plain to see, high also what is cut off, hidden or far."""

import json
import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FEW_BUILD", SOURCE / "build"))
ZOO = pathlib.Path(os.environ.get("FEW_TEST_ZOO", SOURCE.parent / "shared" / "zoo"))
SEEN = json.loads((SOURCE / "tests" / "zoo" / "street_frames.json").read_text())
LABELS = {"persons": {"person"}, "vehicles": {"car", "truck", "bus", "motorbike"}}
THRESHOLD = {"yolo_fastestv2": 0.3, "nanodet_m_416": 0.35, "yolox_nano": 0.35, "person_192": 0.35}
# Mean distance from the interval, and frames on which more is counted than could be there: some above what was measured.
BOUNDS = {("yolo_fastestv2", "persons"): (0.9, 2), ("yolo_fastestv2", "vehicles"): (0.9, 1),
          ("nanodet_m_416", "persons"): (0.35, 2), ("nanodet_m_416", "vehicles"): (0.4, 1),
          ("yolox_nano", "persons"): (0.4, 4), ("yolox_nano", "vehicles"): (0.3, 1),
          ("person_192", "persons"): (0.55, 1)}

pytestmark = pytest.mark.skipif(not (ZOO / "videos").exists(), reason="the real zoo is not here")


def run(*words, **more):
    return subprocess.run([str(BUILD / "fewer"), *map(str, words)], cwd=SOURCE, capture_output=True, text=True, check=True,
                          **more).stdout


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    store = tmp_path_factory.mktemp("street") / "frames.db"
    frames = "".join(f"{ZOO}/videos/{name}\n" for name in SEEN)
    run("record", "examples/street/zoo.yaml", "--root", ZOO, "-", "-o", store, "-q", input=frames)
    found = [json.loads(line) for line in run("export", store, "--format", "jsonl").splitlines()]
    assert {pathlib.Path(row["item"]).name for row in found} == set(SEEN)
    assert {row["status"] for row in found} <= {"executed", "skipped"}
    return found


@pytest.mark.parametrize("model, what", BOUNDS, ids=lambda value: value)
def test_counts_are_those_of_the_eye(rows, model, what):
    distances, above = [], 0
    for row in (row for row in rows if row["model"] == model):
        low, high = SEEN[pathlib.Path(row["item"]).name][what]
        count = sum(found["label"] in LABELS[what] and found["confidence"] > THRESHOLD[model] for found in row["output"])
        distances.append(max(low - count, 0, count - high))
        above += count > high
    mean = sum(distances) / len(distances)
    print(f"{model}, {what}: {mean:.2f} from the interval, {distances.count(0)} of {len(distances)} in it, {above} above")
    assert len(distances) == 50
    assert (mean, above) <= BOUNDS[model, what] and above <= BOUNDS[model, what][1]
