# SPDX-License-Identifier: Apache-2.0
"""The photo zoo on 200 photographs, beside the outputs that an unrelated program computed with other decoding
libraries (the zoo's reference.jsonl.gz). Prints a table per model; docs/reference.md keeps one."""

import gzip
import json
import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FEW_BUILD", SOURCE / "build"))
ZOO = pathlib.Path(os.environ.get("FEW_TEST_ZOO", SOURCE.parent / "shared" / "zoo"))
THRESHOLD, NEAR = 0.5, 0.03
BOX_KEEP = {"ultraface": 0.7, "yunet": 0.6, "person": 0.3}
SHARES = ("selfie_seg", "text_det_640", "text_det_320")

pytestmark = pytest.mark.skipif(not (ZOO / "reference.jsonl.gz").exists(), reason="the real zoo is not here")


def iou(a, b):
    w = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    h = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    inter = max(w, 0) * max(h, 0)
    union = a[2] * a[3] + b[2] * b[3] - inter
    return inter / union if union > 0 else 0.0


def share(cells, test):
    """(share of the cells that pass, how many there are)"""
    return (sum(map(test, cells)) / len(cells) if cells else 1.0), len(cells)


@pytest.fixture(scope="module")
def reference():
    with gzip.open(ZOO / "reference.jsonl.gz", "rt") as lines:
        return {line["image"]: line["models"] for line in map(json.loads, lines)}


@pytest.fixture(scope="module")
def labels():
    """Per model the names of its outputs and the null ones, from the zoo's own description."""
    null = {"background", "neutral", "real"}
    lists = {}
    for model in json.loads((ZOO / "zoo.json").read_text())["models"]:
        if "labels" in model:
            names = [n.strip() for n in (ZOO / model["labels"]).read_text().split("\n")]
            lists[model["name"]] = (names, {i for i, n in enumerate(names) if n in null})
    return lists


@pytest.fixture(scope="module")
def ours(reference, tmp_path_factory):
    folder = tmp_path_factory.mktemp("reference")
    paths = "\n".join(str(ZOO / "images" / image) for image in reference) + "\n"
    fewer, manifest = str(BUILD / "fewer"), str(SOURCE / "examples/photo-zoo/zoo.yaml")
    subprocess.run([fewer, "record", manifest, "--root", str(ZOO), "-", "-o", str(folder / "trace.db"), "--quiet"],
                   input=paths, text=True, check=True)
    export = subprocess.run([fewer, "export", str(folder / "trace.db"), "--format", "jsonl"], text=True, check=True,
                            capture_output=True).stdout
    found = {}
    for row in map(json.loads, export.splitlines()):
        found.setdefault(pathlib.Path(row["item"]).name, {})[row["model"]] = row
    return found


def pairs(ours, reference):
    """(model, reference's output, our row) of every cell."""
    for image, models in reference.items():
        for name, theirs in models.items():
            yield name, theirs, ours[image][name]


def both_ran(cells):
    return [(t, o) for t, o in cells if t["ran"] and o["status"] == "executed"]


def our_confidences(row, names):
    if row["kind"] == "detections":
        best = {}
        for d in row["output"]:
            k = names.index(d["label"])
            best[k] = max(best.get(k, 0), d["confidence"])
        return best
    return dict(enumerate(row["output"]))


def label_sets(theirs, row, names, null):
    """Both valuable sets, and how many labels were left out for being too near to the threshold."""
    a = {int(k): c for k, c in theirs["valuable"] if int(k) not in null}
    b = {k: c for k, c in our_confidences(row, names).items() if k not in null}
    near = {k for side in (a, b) for k, c in side.items() if abs(c - THRESHOLD) <= NEAR}
    valuable = lambda side: {k for k, c in side.items() if c > THRESHOLD and k not in near}
    return valuable(a), valuable(b), len(near)


def box_presence(name, theirs, row):
    keep = next(k for prefix, k in BOX_KEEP.items() if name.startswith(prefix))
    near = abs(theirs["conf"] - keep) <= NEAR or (row["output"] and abs(row["output"][0]["confidence"] - keep) <= NEAR)
    return bool(theirs.get("bbox")), bool(row["output"]), near


def row_of(name, cells, labels):
    """One line of the table: ran, sets, then the measure of the model's kind."""
    line = {"model": name, "ran": share(cells, lambda c: c[0]["ran"] == (c[1]["status"] == "executed"))}
    ran = both_ran(cells)
    if name in labels:
        names, null = labels[name]
        sets = [label_sets(t, o, names, null) for t, o in ran]
        line["sets"] = share([s for s in sets if s[0] or s[1]], lambda s: s[0] == s[1])
        line["near"] = sum(s[2] for s in sets)
    elif name.startswith(tuple(BOX_KEEP)):
        presence = [box_presence(name, t, o) for t, o in ran]
        line["sets"] = share([p for p in presence if (p[0] or p[1]) and not p[2]], lambda p: p[0] == p[1])
        line["near"] = sum(bool(p[2]) for p in presence)
        boxes = [(t["bbox"], o["output"][0]["box"]) for t, o in ran if t.get("bbox") and o["output"]]
        line["IoU > 0.9"] = share(boxes, lambda b: iou(*b) > 0.9)
    elif name == "face_age":
        line["within 1.5"] = share(ran, lambda c: abs(c[0]["scalar"] - c[1]["output"][0]) <= 1.5)
    elif name == "face_pose":
        close = lambda c: all(abs(a - b) <= 3 for a, b in zip(c[0]["vector"], c[1]["output"]))
        line["within 3 deg"] = share(ran, close)
    elif name == "text_rec":
        sure = [c for c in ran if c[0]["conf"] > 0.8 and c[0]["text"]]
        line["text equal"] = share(sure, lambda c: c[0]["text"] == c[1]["text"])
    elif name in SHARES:
        line["within 0.02"] = share(ran, lambda c: abs(c[0]["scalar"] - our_share(c[1])) <= 0.02)
    return line


def our_share(row):
    if row["kind"] == "scalar":
        return row["output"][0]
    return sum(d.get("area", d["box"][2] * d["box"][3]) for d in row["output"])


@pytest.fixture(scope="module")
def table(ours, reference, labels):
    cells = {}
    for name, theirs, row in pairs(ours, reference):
        cells.setdefault(name, []).append((theirs, row))
    lines = [row_of(name, c, labels) for name, c in cells.items()]
    text = "| model | ran | sets equal | labels near 0.5 | other |\n|---|---|---|---|---|\n"
    show = lambda v: f"{v[0]:.3f} of {v[1]}"
    for line in lines:
        other = [f"{k} {show(v)}" for k, v in line.items() if k not in ("model", "ran", "sets", "near")]
        text += f"| {line['model']} | {show(line['ran'])} | {show(line['sets']) if 'sets' in line else ''} | " \
                f"{line.get('near', '')} | {', '.join(other)} |\n"
    print("\n" + text)
    (BUILD / "out").mkdir(parents=True, exist_ok=True)
    (BUILD / "out" / "reference.md").write_text(text)
    return lines


def test_same_models_ran(table):
    assert len(table) == 34
    assert {line["model"]: line["ran"] for line in table if line["ran"][0] < 0.98} == {}


def test_valuable_labels_are_the_same(table):
    sets = [line["sets"] for line in table if "sets" in line]
    equal = sum(s * n for s, n in sets) / sum(n for _, n in sets)
    print(f"sets equal over all models: {equal:.4f}; labels near the threshold: {sum(l.get('near', 0) for l in table)}")
    assert equal >= 0.95
    assert {line["model"]: line["sets"] for line in table if "sets" in line and line["sets"][0] < 0.85} == {}


@pytest.mark.parametrize("measure, least", [("IoU > 0.9", 0.95), ("within 1.5", 0.95), ("within 3 deg", 0.95),
                                            ("within 0.02", 0.95), ("text equal", 0.90)])
def test_boxes_numbers_and_text(table, measure, least):
    found = {line["model"]: line[measure] for line in table if measure in line}
    assert found
    total = sum(s * n for s, n in found.values()) / sum(n for _, n in found.values())
    print(f"{measure}: {total:.4f}")
    assert total >= least, found
