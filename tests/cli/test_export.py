# SPDX-License-Identifier: Apache-2.0
"""Exports are what the programs that they are for read: pycocotools, and where they are installed Label Studio's SDK,
FiftyOne and PyYAML. What these check and our own rules can say is checked without them too."""
import json
import random
import re
import sqlite3
import xml.etree.ElementTree as ElementTree
from pathlib import PurePosixPath

import pytest

ZOO = """\
version: 1
labels:
  places: {names: [beach, 'street & road', none], null_labels: [none]}
  things: {names: [person, car, '"tree" <old>']}
  people: {names: [person]}
  letters: {names: [a, b, ' ']}
models:
  - {name: scene, file: m, input: {size: [8, 8]}, output: {kind: classes, labels: places}}
  - {name: tags, file: m, input: {size: [8, 8]}, output: {kind: labels, labels: places}}
  - {name: things.1.0, file: m, input: {size: [8, 8]}, cost: {time_ms: 2},
     output: {kind: detections, decode: regions, labels: things}}
  - {name: people, file: m, input: {size: [8, 8]}, output: {kind: detections, decode: regions, labels: people}}
  - {name: hand, file: m, input: {size: [8, 8]}, output: {kind: box}}
  - {name: age, file: m, input: {size: [8, 8]}, output: {kind: scalar}}
  - {name: words, file: m, input: {size: [8, 8]}, output: {kind: sequence, decode: ctc, labels: letters}}
  - {name: print, file: m, input: {size: [8, 8]}, output: {kind: vector, values: 4}}
"""
KINDS = {"rectanglelabels": "RectangleLabels", "choices": "Choices", "textarea": "TextArea", "number": "Number"}
N_ITEMS, N_FRAMES = 30, 12


def outputs_of(rng, path):
    def boxes(n_labels):
        return [[rng.randrange(n_labels), round(rng.random(), 3), round(0.5 * rng.random(), 3), round(0.5 * rng.random(), 3),
                 round(0.05 + 0.6 * rng.random(), 3), round(0.05 + 0.6 * rng.random(), 3)] for _ in range(rng.randrange(4))]

    beach = round(rng.random(), 3)
    return {"image": path, "w": 640, "h": 480, "models": {
        "scene": {"labels": [beach, 1 - beach, 0]}, "tags": {"valuable": [[0, 0.9], [1, 0.7]][:rng.randrange(3)]},
        "things.1.0": {"detections": boxes(3)}, "people": {"detections": boxes(1)},
        "hand": {"bbox": [0.1, 0.2, 0.3, 0.4], "conf": 0.8}, "age": {"scalar": rng.randrange(90)},
        "words": {"sequence": ["a", " ", "b"]}, "print": {"vector": [1, 2, 3, 4]}}}


@pytest.fixture
def run_db(fewer, tmp_path):
    """Thirty items that were imported, of which the last twelve are then the moments of a recording."""
    rng = random.Random(5)
    (tmp_path / "m").write_bytes(b"no model: nothing here loads it")
    (tmp_path / "zoo.yaml").write_text(ZOO)
    names = [f"photos/{i}.jpg" for i in range(N_ITEMS - N_FRAMES)]
    names += [f"clips/a.mp4#t={i / 2:g}" for i in range(N_FRAMES)]
    (tmp_path / "outputs.jsonl").write_text("".join(json.dumps(outputs_of(rng, name)) + "\n" for name in names))
    got = fewer("import", "outputs.jsonl", "--zoo", "zoo.yaml", "-o", "run.db")
    assert got.returncode == 0, got.stderr
    with sqlite3.connect(tmp_path / "run.db") as db:
        db.execute("INSERT INTO streams VALUES (0, 'clips/a.mp4', '{}', 0, 0, 0, 640, 480, 25, 6000000, 12, 12, 0, 0, 0, 0, 0,"
                   " 5500000, -1, 1, '')")
        db.execute(f"UPDATE items SET stream = 0, at_us = 500000 * (id - {N_ITEMS - N_FRAMES}),"
                   f" until_us = 500000 * (id - {N_ITEMS - N_FRAMES} + 1) WHERE id >= {N_ITEMS - N_FRAMES}")
    return tmp_path / "run.db"


def export(fewer, form, *more):
    got = fewer("export", "run.db", "--format", form, *more)
    assert got.returncode == 0 and not got.stderr, got.stderr
    return got.stdout


def rows_of(fewer):
    return [json.loads(line) for line in export(fewer, "jsonl").splitlines()]


def boxes_of(fewer):
    """(item, model, label, confidence, box) of every box of the run, in order."""
    for row in rows_of(fewer):
        if row["kind"] == "box":
            yield row["item"], row["model"], row["model"], row["confidence"], row["output"]
        for one in row["output"] if row["kind"] == "detections" else []:
            yield row["item"], row["model"], one["label"], one["confidence"], one["box"]


# ---- COCO ----

@pytest.fixture
def coco(fewer, run_db, tmp_path):
    tools = pytest.importorskip("pycocotools.coco", reason="pycocotools is not installed")
    export(fewer, "coco", "-o", "coco.json")
    export(fewer, "coco-results", "-o", "results.json")
    return tools.COCO(str(tmp_path / "coco.json"))


def test_coco_is_read(fewer, coco):
    names = {image["file_name"] for image in coco.loadImgs(coco.getImgIds())}
    assert len(names) == N_ITEMS and "clips/a.mp4#t=1.5" in names
    read = []
    for a in coco.loadAnns(coco.getAnnIds()):
        image, category = coco.imgs[a["image_id"]], coco.cats[a["category_id"]]
        box = [a["bbox"][k] / (640, 480)[k % 2] for k in range(4)]
        read.append((image["file_name"], a["model"], category["name"], a["score"], pytest.approx(box, abs=1e-4)))
    assert len(read) > 50
    assert list(boxes_of(fewer)) == read
    persons = coco.getCatIds(catNms=["person"])
    assert {coco.cats[i]["supercategory"] for i in persons} == {"things", "people"}


def test_coco_results_are_evaluated(coco, tmp_path):
    cocoeval = pytest.importorskip("pycocotools.cocoeval", reason="pycocotools is not installed")
    found = coco.loadRes(str(tmp_path / "results.json"))
    assert len(found.anns) == len(coco.anns)
    evaluation = cocoeval.COCOeval(coco, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] > 0.99  # the run agrees with itself


# ---- Label Studio ----

@pytest.fixture
def studio(fewer, run_db):
    return json.loads(export(fewer, "label-studio")), export(fewer, "label-studio-config")


def controls_of(config):
    """name -> (tag, toName, its values) of a configuration."""
    root = ElementTree.fromstring(config)
    assert root.tag == "View"
    return {e.get("name"): (e.tag, e.get("toName"), [v.get("value") for v in e]) for e in root if e.get("toName")}


def test_label_studio_fits_its_configuration(studio):
    tasks, config = studio
    controls, ids = controls_of(config), set()
    objects = [e for e in ElementTree.fromstring(config) if (e.get("value") or "").startswith("$")]
    assert [(e.tag, e.get("name"), e.get("value")) for e in objects] == [("Image", "image", "$image")]
    assert "things_1_0" in controls and "print" not in controls and len(controls) == 7
    for task in tasks:
        assert set(task) == {"data", "predictions"} and set(task["data"]) == {"image"}
        versions = [p["model_version"] for p in task["predictions"]]
        assert len(set(versions)) == len(versions) == 7
        for r in (r for p in task["predictions"] for r in p["result"]):
            tag, to_name, values = controls[r["from_name"]]
            assert (tag, to_name) == (KINDS[r["type"]], r["to_name"]) and r["id"] not in ids
            ids.add(r["id"])
            assert (r["original_width"], r["original_height"], r["image_rotation"]) == (640, 480, 0)
            for value in r["value"].get(r["type"], []) if values else []:
                assert value in values
            if r["type"] == "rectanglelabels":
                x, y, w, h = (r["value"][key] for key in ("x", "y", "width", "height"))
                assert min(x, y) >= 0 and min(w, h) > 0 and max(x + w, y + h) <= 100.0001 and r["value"]["rotation"] == 0
            elif r["type"] == "number":
                assert isinstance(r["value"]["number"], (int, float))
            elif r["type"] == "textarea":
                assert r["value"]["text"] == ["a b"]
    assert len(ids) > 100


def test_label_studio_shows_what_counts(fewer, studio):
    shown = [(task["data"]["image"], p["model_version"], r["value"]["rectanglelabels"][0], r["score"]) for task in studio[0]
             for p in task["predictions"] for r in p["result"] if r["type"] == "rectanglelabels"]
    assert shown == [box[:4] for box in boxes_of(fewer) if box[3] > 0.5]


def test_label_studio_sdk(studio):
    interface = pytest.importorskip("label_studio_sdk.label_interface", reason="label-studio-sdk is not installed")
    tasks, config = studio
    project = interface.LabelInterface(config)
    project.validate()
    for task in tasks:
        assert project.validate_task({"data": task["data"]})
        for prediction in task["predictions"]:
            assert project.validate_prediction(prediction, return_errors=True) == []


# ---- FiftyOne ----

def fiftyone_key(path):
    return path if "#t=" in path else str(PurePosixPath(path).with_suffix(""))


def test_fiftyone_detections(fewer, run_db):
    said = json.loads(export(fewer, "fiftyone"))
    assert sorted(said["classes"]) == sorted(["things/person", "people/person", "car", '"tree" <old>', "hand"])
    assert len(said["labels"]) == N_ITEMS
    want = [(fiftyone_key(item), model, label, confidence, pytest.approx(box)) for item, model, label, confidence, box
            in boxes_of(fewer)]
    got = [(key, d["attributes"]["model"], said["classes"][d["label"]].split("/")[-1], d["confidence"], d["bounding_box"])
           for key, found in said["labels"].items() for d in found]
    assert got == want


def test_fiftyone_classes(fewer, run_db):
    said = json.loads(export(fewer, "fiftyone-classes"))
    for row in rows_of(fewer):
        if row["model"] != "scene":
            continue
        beach, street, _ = row["output"]
        want = [(name, p) for name, p in (("beach", beach), ("street & road", street)) if p > 0.5]
        found = [d for d in said["labels"][fiftyone_key(row["item"])] if d["attributes"]["model"] == "scene"]
        assert [(said["classes"][d["label"]], d["confidence"]) for d in found] == want
    assert said["classes"] == ["beach", "street & road"]


def test_fiftyone_temporal(fewer, run_db):
    said = json.loads(export(fewer, "fiftyone-temporal"))
    assert (said["data_path"], list(said["labels"])) == ("clips", ["a"])
    seen = {round(2 * row["at"]): row["output"][0] > 0.5 for row in rows_of(fewer) if "at" in row and row["model"] == "scene"}
    tags = {round(2 * row["at"]): row["output"][0] > 0.5 for row in rows_of(fewer) if "at" in row and row["model"] == "tags"}
    beach = {i for i in seen if seen[i] or tags[i]}  # two models say the same
    covered = []
    for d in said["labels"]["a"]:
        if said["classes"][d["label"]] == "beach":
            first, last = (round(2 * t) for t in d["timestamps"])
            covered += range(first, last)
            assert first - 1 not in beach and last not in beach
    assert sorted(beach) == sorted(covered) and beach


def test_fiftyone_importers(fewer, run_db, tmp_path, monkeypatch):
    monkeypatch.setenv("FIFTYONE_DO_NOT_TRACK", "1")
    importers = pytest.importorskip("fiftyone.utils.data", reason="fiftyone is not installed")
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    for form, importer in (("fiftyone", importers.FiftyOneImageDetectionDatasetImporter),
                           ("fiftyone-classes", importers.FiftyOneImageClassificationDatasetImporter)):
        export(fewer, form, "-o", "labels.json", "--force")
        said = json.loads((tmp_path / "labels.json").read_text())
        assert said["data_path"] == "."
        for key in said["labels"]:
            place = tmp_path / "data" / f"{key}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            image.new("RGB", (8, 8)).save(place)
        with importer(data_path=str(tmp_path / "data"), labels_path=str(tmp_path / "labels.json")) as read:
            assert sum(1 for _ in read) == N_ITEMS


# ---- YOLO ----

@pytest.fixture
def yolo(fewer, run_db, tmp_path):
    export(fewer, "yolo", "-o", "yolo")
    return tmp_path / "yolo"


def test_yolo(fewer, yolo):
    classes = (yolo / "classes.txt").read_text().splitlines()
    listed = [line.split("\t") for line in (yolo / "images.txt").read_text().splitlines()]
    assert sorted(name for name, _ in listed) == sorted(path.name for path in (yolo / "labels").iterdir())
    got = {}
    for name, item in listed:
        for line in (yolo / "labels" / name).read_text().splitlines():
            number, *place = line.split(" ")
            x, y, w, h = map(float, place)
            assert 0 <= x - w / 2 + 1e-6 and x + w / 2 <= 1 + 1e-6 and 0 <= y - h / 2 + 1e-6 and y + h / 2 <= 1 + 1e-6
            got.setdefault(item, []).append((classes[int(number)].split("/")[-1], pytest.approx(x - w / 2, abs=2e-6)))
    want = {}
    for item, _, label, confidence, box in boxes_of(fewer):
        if confidence > 0.5:
            want.setdefault(item, []).append((label, box[0]))
    assert want == got
    assert ("a.mp4_t_1.5.txt", "clips/a.mp4#t=1.5") in map(tuple, listed)


def test_yolo_names_of_classes(yolo):
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    data = yaml.safe_load((yolo / "data.yaml").read_text())
    assert list(data["names"].values()) == (yolo / "classes.txt").read_text().splitlines()
    assert (data["nc"], data["path"], data["train"]) == (len(data["names"]), ".", "images")


def test_yolo_with_confidences(fewer, run_db, tmp_path):
    export(fewer, "yolo-conf", "-o", "yolo")
    lines = [line for path in (tmp_path / "yolo" / "labels").iterdir() for line in path.read_text().splitlines()]
    assert len(lines) == sum(1 for _ in boxes_of(fewer))
    assert all(re.fullmatch(r"\d+( [01]\.\d{6}){5}", line) for line in lines)


def test_yolo_folder_is_never_replaced(fewer, yolo):
    (yolo / "mine.txt").write_text("kept")
    for more in ((), ("--force",)):
        got = fewer("export", "run.db", "--format", "yolo", "-o", "yolo", *more)
        assert got.returncode == 1 and "yolo: expected a folder that is new or empty, found 5 in it" in got.stderr
    assert (yolo / "mine.txt").read_text() == "kept"


# ---- all of them ----

@pytest.mark.parametrize("form", ["coco", "coco-results", "label-studio", "label-studio-config", "fiftyone", "fiftyone-classes",
                                  "fiftyone-temporal"])
def test_files(fewer, run_db, tmp_path, form):
    text = export(fewer, form)
    export(fewer, form, "-o", "out")
    assert (tmp_path / "out").read_text() == text and not (tmp_path / "out.part").exists()
    got = fewer("export", "run.db", "--format", form, "-o", "out")
    assert got.returncode == 1 and "--force" in got.stderr
    got = fewer("export", "none.db", "--format", form, "-o", "new")
    assert got.returncode == 1 and "none.db: not found" in got.stderr and not (tmp_path / "new").exists()
