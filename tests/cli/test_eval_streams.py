# SPDX-License-Identifier: Apache-2.0
"""record and eval of a recording: scenes of the demo that stand still for five seconds each."""
import json
import subprocess

import demo_data
import pytest
import small_zoo

METHODS = ["explore_exploit", "reducto", "reducto_successive"]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory, command):
    """t.db: eighty frames of eight scenes, two a second."""
    folder = tmp_path_factory.mktemp("recorded")
    zoo = small_zoo.write_zoo(folder, ["scene_small", "weather", "tags"])
    for i, scene in enumerate(demo_data.draw(folder / "scenes", 8)):
        subprocess.run(["ffmpeg", "-v", "error", "-i", scene, "-vf", "scale=320:240", folder / f"{i}.png"], check=True)
    subprocess.run(["ffmpeg", "-v", "error", "-framerate", "1/5", "-i", folder / "%d.png", "-vf", "fps=2", "-c:v", "ffv1",
                    folder / "clip.mkv"], check=True)
    subprocess.run([command, "record", zoo, folder / "clip.mkv", "--fps", "2", "-o", folder / "t.db", "-q"], check=True)
    return folder / "t.db"


def test_stream_methods(fewer, recorded):
    got = fewer("eval", recorded, "--json")
    assert got.returncode == 0, got.stderr
    answer = json.loads(got.stdout)
    assert answer["items"] == 80 and answer["streams"]["segment_s"] == 10
    assert list(answer["methods"])[-3:] == METHODS
    budget = answer["methods"]["reducto"]["budget"]
    # Two scenes in ten seconds of twenty frames: whoever looks at two of them knows everything.
    assert budget["0.5"]["agreement"] == 1 and budget["0.5"]["recall"] == 1
    assert budget["0.5"]["reused"] == pytest.approx(0.9)
    assert budget["0.5"]["feature"] in ("pixel", "area", "edge", "corner") and budget["0.5"]["threshold"] > 0
    keep = answer["methods"]["explore_exploit"]["keep"]
    assert 3 / 20 < keep["1"]["time_ratio"] <= 1 and keep["0.1"]["models"] <= keep["1"]["models"]


def test_segment(fewer, recorded):
    got = fewer("eval", recorded, "--json", "--method", "reducto", "--segment", "5s")
    assert got.returncode == 0, got.stderr
    answer = json.loads(got.stdout)
    assert answer["streams"]["segment_s"] == 5
    assert answer["methods"]["reducto"]["budget"]["0.1"]["reused"] == pytest.approx(0.9)
    assert fewer("eval", recorded, "--segment", "0s").returncode == 2


def test_stream_tables(fewer, recorded):
    got = fewer("eval", recorded, "--method", "reducto,explore_exploit")
    assert got.returncode == 0, got.stderr
    for title in ("agreement by budget", "time by value kept, %", "reducto: budget", "recall by deadline"):
        assert title in got.stdout


def test_photographs_have_no_streams(fewer, zoo, outputs):
    assert fewer("import", outputs, "--zoo", zoo, "-o", "photos.db").returncode == 0
    assert "reducto" not in fewer("eval", "photos.db").stdout
    for method in METHODS:
        got = fewer("eval", "photos.db", "--method", method)
        assert got.returncode == 1 and "expected a trace with streams" in got.stderr
