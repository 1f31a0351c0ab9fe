# SPDX-License-Identifier: Apache-2.0
"""examples/clips: aligned records of pictures, sound and text. Each model gets its part, what is not there is skipped, and
what can be known beforehand is said: who speaks, what a note is about, that somebody walks there."""
import ast
import json
import os
import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FEW_BUILD", SOURCE / "build"))
ZOO = pathlib.Path(os.environ.get("FEW_TEST_ZOO", SOURCE.parent / "shared" / "zoo"))
EXAMPLE = SOURCE / "examples" / "clips"
PICTURE = ("objects", "faces", "scene")

sys.path.insert(0, str(EXAMPLE))
make_clips = __import__("make_clips")

pytestmark = [pytest.mark.skipif(not (ZOO / "videos").exists(), reason="the real zoo is not here"),
              pytest.mark.skipif(not make_clips.has_speech(), reason="this ffmpeg has no voice (libflite)")]


def fewer(*args):
    command = next(path for path in (BUILD / "fewer", BUILD / "cli" / "fewer") if path.is_file())
    got = subprocess.run([str(command), *map(str, args)], capture_output=True, text=True, timeout=300)
    assert got.returncode == 0, got.stderr
    return got.stdout


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    subprocess.run([sys.executable, str(EXAMPLE / "make_clips.py"), str(folder), "--zoo", str(ZOO)], check=True)
    said = json.loads(fewer("label", EXAMPLE / "zoo.yaml", "--root", folder / "root", folder / "clips.jsonl", "-o",
                            folder / "run.db", "--json", "--quiet"))
    rows = [json.loads(line) for line in fewer("export", folder / "run.db").splitlines()]
    return folder, said, {(row["item"], row["model"]): row for row in rows}


@pytest.fixture(scope="module")
def expected(clips):
    return json.loads((clips[0] / "expected.json").read_text())


def test_all_records_are_done(clips, expected):
    _, said, rows = clips
    missing = sum(value is None for one in expected.values() for value in (one["speech"], one["topics"]))
    assert (said["items"], said["items_failed"], said["counts"]["failed"]) == (24, 0, 0)
    assert said["counts"]["skipped"] == missing == 7
    assert said["counts"]["executed"] == len(rows) - missing
    assert {item for item, _ in rows} == set(expected)


def test_what_is_not_there_is_skipped(clips, expected):
    for item, one in expected.items():
        for model, part in (("speech", "speech"), ("topics", "topics")):
            row = clips[2][item, model]
            assert row["status"] == ("executed" if one[part] is not None else "skipped")
            if one[part] is None:
                assert ("no sound" if model == "speech" else "no text") in row["reason"]
        assert all(clips[2][item, model]["status"] == "executed" for model in PICTURE)


def test_who_speaks(clips, expected):
    for item, one in expected.items():
        if one["speech"] is not None:
            probability = clips[2][item, "speech"]["output"][0]
            assert probability > 0.9 if one["speech"] else probability < 0.1, item


def test_what_a_note_is_about(clips, expected):
    names = (EXAMPLE / "topics" / "topics.txt").read_text().split()
    for item, one in expected.items():
        if one["topics"] is not None:
            found = [name for name, p in zip(names, clips[2][item, "topics"]["output"]) if p > 0.5]
            assert found == sorted(one["topics"], key=names.index), item


def test_what_the_camera_sees(clips):
    """The part of each record is that of its own clip, at its own time: persons on the crossing, cars on the bridge."""
    seen = {item: {box["label"] for box in row["output"] if box["confidence"] > 0.5}
            for (item, model), row in clips[2].items() if model == "objects"}
    for clip, label in (("pedestrians", "person"), ("highway", "car"), ("bridge", "car"), ("bottles", "bottle")):
        assert all(label in found for item, found in seen.items() if item.startswith(clip)), clip
    assert "person" not in set().union(*(found for item, found in seen.items() if item.startswith("bottles")))


def test_the_lexicon_is_what_its_script_says():
    """The committed model, words and topics are those of the script."""
    numpy, runtime = pytest.importorskip("numpy"), pytest.importorskip("onnxruntime")
    text = (EXAMPLE / "topics" / "make_topics.py").read_text()
    start = text.index("LEXICON = {") + len("LEXICON = ")
    lexicon = ast.literal_eval(text[start:text.index("\n}\n", start) + 2])
    words = ["-", *sorted({word for topic in lexicon.values() for word in topic})]
    assert (EXAMPLE / "topics" / "words.txt").read_text().split() == words
    assert (EXAMPLE / "topics" / "topics.txt").read_text().split() == list(lexicon)
    session = runtime.InferenceSession(str(EXAMPLE / "topics" / "topics.onnx"), providers=["CPUExecutionProvider"])
    for number, word in enumerate(words):
        tokens = numpy.zeros((1, 32), numpy.int64)
        tokens[0, number % 32] = number
        said = session.run(None, {"words": tokens})[0][0]
        assert said.tolist() == pytest.approx([topic.get(word, 0) for topic in lexicon.values()])


def test_records_are_exported(clips, tmp_path):
    folder = clips[0]
    tasks = json.loads(fewer("export", folder / "run.db", "--format", "label-studio"))
    versions = [{p["model_version"] for p in task["predictions"]} for task in tasks]
    assert len(tasks) == 24 and sum("speech" not in v for v in versions) == 3 and sum("topics" not in v for v in versions) == 4
    fewer("export", folder / "run.db", "--format", "yolo", "-o", tmp_path / "yolo")
    assert len(list((tmp_path / "yolo" / "labels").iterdir())) == 24
