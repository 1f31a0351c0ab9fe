# SPDX-License-Identifier: Apache-2.0
"""Bad items, models and outputs: one clear line for each, the rest goes on, nothing is lost or half written."""
import json
import os
import pty
import resource
import shutil
import signal
import struct
import subprocess
import zlib

import pytest

import demo_data
from conftest import ROOT
from demo_data import MODELS, ZOO, counts_add_up, rows_of

DATA = ROOT / "tests" / "backend" / "data"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return demo_data.draw(tmp_path_factory.mktemp("scenes"), 6)


@pytest.fixture
def items(tmp_path, scenes):
    """A folder with three good items."""
    (tmp_path / "items").mkdir()
    for path in scenes[:3]:
        shutil.copy(path, tmp_path / "items")
    return tmp_path / "items"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height):
    """A PNG that claims this size and has no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


BAD = {  # name: (bytes, from those of a good JPEG and a good PNG; what the line says)
    "empty.jpg": (lambda jpg, png_: b"", "the file is empty"),
    "cut.jpg": (lambda jpg, png_: jpg[:len(jpg) // 2], "cut off"),
    "cut.png": (lambda jpg, png_: png_[:len(png_) // 2], "cut off"),
    "head.jpg": (lambda jpg, png_: jpg[:20], "cut off"),
    "text.jpg": (lambda jpg, png_: b"these are words\n", "not an image"),
    "program.png": (lambda jpg, png_: b"\x7fELF" + bytes(5000), "not an image"),
    "huge.png": (lambda jpg, png_: png(100000, 100000), "100000 x 100000 pixels is over the limit"),
    "zero.png": (lambda jpg, png_: png(0, 0), "0"),
    "flat.png": (lambda jpg, png_: png(0, 7), "0"),
}


RETRY = "  'fewer retry run.db' does what failed again"


@pytest.mark.parametrize("verb", ["label", "record"])
@pytest.mark.parametrize("name", BAD)
def test_bad_item(fewer, items, verb, name):
    make, words = BAD[name]
    (items / name).write_bytes(make((items / "scene_00000.jpg").read_bytes(), (items / "scene_00002.png").read_bytes()))
    got = fewer(verb, ZOO, "items", "-o", "run.db", "--json")
    assert got.returncode == 1
    lines = got.stderr.splitlines()
    assert len(lines) == 3 and lines[0] == "fewer: 1 failure" and lines[2] == RETRY
    assert lines[1].startswith(f"  items/{name}: ") and lines[1].count(name) == 1 and words in lines[1]
    summary, rows = json.loads(got.stdout), rows_of(fewer, "run.db")
    counts_add_up(summary, rows)
    assert (summary["items"], summary["items_failed"], summary["counts"]["failed"]) == (4, 1, len(MODELS))
    assert {row["item"] for row in rows if row["status"] == "failed"} == {f"items/{name}"}
    assert all(words in row["reason"] for row in rows if row["status"] == "failed")


def test_all_bad_items_together(fewer, items):
    good = (items / "scene_00000.jpg").read_bytes(), (items / "scene_00002.png").read_bytes()
    for name, (make, _) in BAD.items():
        (items / name).write_bytes(make(*good))
    got = fewer("label", ZOO, "items", "-o", "run.db", "--json", "--deadline", "10s")
    summary, rows = json.loads(got.stdout), rows_of(fewer, "run.db")
    assert got.returncode == 1
    counts_add_up(summary, rows)
    assert summary["items_failed"] == len(BAD) and summary["items"] == len(BAD) + 3
    assert {row["item"] for row in rows if row["status"] != "failed"} == \
        {f"items/scene_0000{i}.{kind}" for i, kind in enumerate(["jpg", "jpg", "png"])}
    assert got.stderr.splitlines()[0] == f"fewer: {len(BAD)} failures"
    page = fewer("report", "run.db", "-o", "report.html")
    assert page.returncode == 0, page.stderr


def test_paths_of_a_list_that_are_no_files(fewer, items):
    """Nor files: a pipe that nobody writes to and a device without an end would block or fill the memory."""
    (items / "folder.jpg").mkdir()
    os.mkfifo(items / "pipe.jpg")
    names = ["items/scene_00000.jpg", "items/gone.jpg", "items/folder.jpg", "items/pipe.jpg", "/dev/zero",
             "items/scene_00002.png"]
    got = fewer("label", ZOO, "-", "-o", "run.db", "--json", stdin="\n".join(names))
    assert got.returncode == 1
    lines = got.stderr.splitlines()
    assert lines[0] == "fewer: 4 failures" and len(lines) == 6 and lines[5] == RETRY
    assert [line.split(":")[0].strip() for line in lines[1:5]] == names[1:5]
    assert "No such file" in lines[1] and all("expected a file" in line for line in lines[3:5])
    counts_add_up(json.loads(got.stdout), rows_of(fewer, "run.db"))


def test_a_path_that_is_not_there_is_told_at_once(fewer, items, tmp_path):
    got = fewer("label", ZOO, "items/gone.jpg", "-o", "run.db")
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr == "fewer: items/gone.jpg: No such file or directory\n"
    assert not (tmp_path / "run.db").exists()


def test_a_folder_that_vanishes(fewer, command, scenes, tmp_path):
    """It goes when the first items are done: those keep their results, the others fail one by one."""
    demo_data.many(tmp_path / "many", 1500, scenes)
    master, slave = pty.openpty()
    process = subprocess.Popen([str(command), "label", str(ZOO), "many", "-o", "run.db", "--json"],
                               stdout=subprocess.PIPE, stderr=slave, cwd=tmp_path, text=True)
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if b"/1500 items" in piece and b"/1500 items" not in seen:
            (tmp_path / "many").rename(tmp_path / "gone")
        seen += piece
    os.close(master)
    summary = json.loads(process.stdout.read())
    assert process.wait(timeout=60) == 1
    rows = rows_of(fewer, "run.db")
    counts_add_up(summary, rows)
    assert summary["items"] == 1500 and 0 < summary["items_failed"] < 1500
    assert f"{summary['items_failed']} failures".encode() in seen and b"No such file" in seen
    failed = [row["status"] == "failed" for row in rows[::len(MODELS)]]
    assert failed == sorted(failed)


# ---- models ----

def other_zoo(tmp_path, source, extra=""):
    if source:
        shutil.copy(DATA / source, tmp_path / "model.onnx")
    else:
        (tmp_path / "model.onnx").write_text("these are words")
    (tmp_path / "zoo.yaml").write_text(
        "version: 1\nmodels:\n  - name: odd\n    file: model.onnx\n    input: {size: [4, 4]}\n"
        f"    output: {{kind: scalar{extra}}}\n")


@pytest.mark.parametrize("source, extra, words", [
    (None, "", "model.onnx"),
    ("slow.onnx", "", "expected float32 [1,3,4,4], found float32 [1,1,64,64]"),
    ("integer.onnx", "", "float32"),
    ("two_inputs.onnx", "", "input"),
    ("mean.onnx", ", tensors: [nothing]", "'nothing'"),
    ("mean.onnx", ", tensors: [mean], offset: 3", "3"),
], ids=["words", "shape", "type", "inputs", "name", "numbers"])
def test_a_model_that_does_not_fit(fewer, items, tmp_path, source, extra, words):
    other_zoo(tmp_path, source, extra)
    got = fewer("label", "zoo.yaml", "items", "-o", "run.db", "--json")
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr.startswith("fewer: model 'odd': ") and got.stderr.count("\n") == 1 and words in got.stderr
    assert not (tmp_path / "run.db").exists()
    (tmp_path / "run.db").write_text("precious")
    assert fewer("label", "zoo.yaml", "items", "-o", "run.db", "--force").returncode == 1
    assert (tmp_path / "run.db").read_text() == "precious"


# ---- outputs ----

@pytest.mark.parametrize("verb", ["label", "record"])
@pytest.mark.parametrize("output, words", [
    ("nowhere/run.db", "cannot be created: No such file or directory"),
    ("items", "expected a trace or run file, found a folder"),
    ("/proc/run.db", "cannot be created: "),
    ("old.db", "expected a trace or run file, found something else; --force starts again and replaces it, another"),
])
def test_output_that_cannot_be_written(fewer, items, tmp_path, verb, output, words):
    (tmp_path / "old.db").write_text("mine")
    got = fewer(verb, ZOO, "items", "-o", output, "--json")
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr.startswith(f"fewer: {output}: ") and got.stderr.count("\n") == 1 and words in got.stderr
    assert (tmp_path / "old.db").read_text() == "mine"


def test_force_does_not_replace_a_folder(fewer, items):
    got = fewer("label", ZOO, "items", "-o", "items", "--force")
    assert got.returncode == 1
    assert got.stderr == "fewer: items: expected a file that can be replaced, found a folder\n"
    assert len(list(items.iterdir())) == 3


def limited(command, size, *args, cwd):
    """As on a disk that is full once a file has that size."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    return subprocess.run([str(command), *map(str, args)], preexec_fn=limit, capture_output=True, text=True, cwd=cwd)


@pytest.mark.parametrize("size", [0, 20_000])
def test_full_disk_at_start(command, items, tmp_path, size):
    got = limited(command, size, "label", ZOO, "items", "-o", "run.db", cwd=tmp_path)
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr.startswith("fewer: run.db: ") and got.stderr.count("\n") == 1
    assert not (tmp_path / "run.db").exists()


@pytest.mark.parametrize("verb", ["label", "record"])
def test_full_disk_in_the_middle(fewer, command, scenes, tmp_path, verb):
    names = demo_data.many(tmp_path / "many", 400, scenes)
    got = limited(command, 1_500_000, verb, ZOO, "many", "-o", "run.db", cwd=tmp_path)
    assert got.returncode == 1
    errors = [line for line in got.stderr.splitlines() if line.startswith("fewer: ")]
    assert len(errors) == 1 and errors[0].startswith("fewer: run.db: "), got.stderr
    assert "kept in" not in got.stderr
    rows = rows_of(fewer, "run.db")
    assert len(rows) < 400 * len(MODELS)
    assert [row["item"] for row in rows[::len(MODELS)]] == \
        [f"many/{path.name}" for path in names][:len(rows) // len(MODELS)]


def test_nothing_is_left_elsewhere(command, items, tmp_path):
    """ONNX Runtime may keep records of its use in the home folder and in /tmp; the command stops it."""
    home = tmp_path / "home"
    home.mkdir()
    env = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    process = subprocess.Popen([str(command), "label", str(ZOO), "items", "-o", "run.db", "-q"], cwd=tmp_path,
                               env={**env, "HOME": str(home), "XDG_CACHE_HOME": str(home), "TMPDIR": str(home)})
    assert process.wait(timeout=60) == 0
    assert list(home.iterdir()) == []
    assert not os.path.exists(f"/tmp/mat-debug-{process.pid}.log")
    assert {path.name for path in tmp_path.iterdir()} == {"home", "items", "run.db"}
