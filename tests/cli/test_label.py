# SPDX-License-Identifier: Apache-2.0
"""check, record and label with the models of the demo, on pictures drawn here."""
import json
import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT

ZOO = Path(os.environ.get("FEW_TEST_DEMO", ROOT / "demo")) / "zoo.yaml"
OUTCOMES = ["executed", "predicted", "reused", "skipped", "late", "failed"]

if not ZOO.is_file():
    pytest.skip(f"no demo models: {ZOO} is missing", allow_module_level=True)


@pytest.fixture
def pictures(tmp_path):
    image = pytest.importorskip("PIL.Image")
    folder = tmp_path / "pictures"
    folder.mkdir()
    for i in range(6):
        picture = image.new("RGB", (160, 120), (40 * i, 255 - 40 * i, 90))
        picture.paste((250, 240, 20), (10 + 20 * i, 30, 40 + 20 * i, 60))
        picture.save(folder / f"p{i}.png")
    return folder


def n_models():
    return sum(line.startswith("  - name:") for line in ZOO.read_text().splitlines())


def test_check(fewer):
    got = fewer("check", ZOO, "--runs", "2", "--json")
    assert got.returncode == 0, got.stderr
    check = json.loads(got.stdout)
    assert check["failed"] == 0 and len(check["models"]) == n_models()
    for model in check["models"]:
        assert model["status"] == "ok" and model["message"] == ""
        assert model["run_ms"] > 0 and model["run_p90_ms"] > 0 and model["load_ms"] > 0
        assert {"loaded_bytes", "peak_bytes", "kind", "name"} <= set(model)


def test_check_table(fewer):
    got = fewer("check", ZOO, "--runs", "1")
    assert got.returncode == 0 and got.stderr == ""
    lines = got.stdout.splitlines()
    assert len(lines) == n_models() + 2
    assert lines[0].split()[:2] == ["model", "kind"]
    assert lines[-1].startswith(f"{n_models()} models: ")


def test_check_goes_on_after_a_bad_model(fewer, zoo):
    got = fewer("check", zoo, "--json")
    assert got.returncode == 1
    check = json.loads(got.stdout)
    assert check["failed"] == 2 and [m["status"] for m in check["models"]] == ["FEW_EBACKEND"] * 2
    assert "animals" in got.stderr and "faces" in got.stderr


def test_missing_runtime(fewer, pictures):
    for args in (["check", ZOO], ["label", ZOO, pictures, "-o", "run.db"]):
        got = fewer(*args, "--runtime", "/no/such/lib.so", "--json")
        assert got.returncode == 1 and got.stdout == ""
        assert "/no/such/lib.so" in got.stderr


def test_record_then_label(fewer, pictures, tmp_path):
    got = fewer("record", ZOO, pictures, "-o", "trace.db", "--json", "--limit", 4)
    assert got.returncode == 0, got.stderr
    record = json.loads(got.stdout)
    assert record["items"] == 4 and record["policy"] == "run_all" and record["models"] == n_models()
    got = fewer("label", ZOO, pictures, "-o", "run.db", "--policy", "static:trace.db", "--deadline", "5s", "--json")
    assert got.returncode == 0, got.stderr
    label = json.loads(got.stdout)
    assert list(label["counts"]) == OUTCOMES
    assert sum(label["counts"].values()) == label["items"] * label["models"] == 6 * n_models()
    assert label["policy"] == "static:trace.db"
    assert label["deadline_missed"] == 0 and label["items_failed"] == 0 and label["interrupted"] is False
    assert set(label["time_ms"]) == {"spent", "run_all", "saved_ratio", "base"}
    assert label["time_ms"]["spent"] > 0 and label["time_ms"]["saved_ratio"] < 1
    assert "agreement" not in label
    rows = fewer("export", "run.db").stdout.splitlines()
    assert len(rows) == 6 * n_models()
    assert {json.loads(row)["status"] for row in rows} <= set(OUTCOMES)
    assert fewer("eval", "trace.db", "--json").returncode == 0
    got = fewer("report", "run.db", "-o", "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "policy <code>static:trace.db</code>" in page and "data:image/jpeg;base64," in page


def test_summary(fewer, pictures):
    got = fewer("label", ZOO, pictures, "-o", "run.db", "--deadline", "10s")
    assert got.returncode == 0 and got.stdout == ""
    assert got.stderr.startswith(f"6 items, {n_models()} models, ")
    assert "executed" in got.stderr and "the deadline of 10.0 s was missed on 0 items" in got.stderr
    assert fewer("label", ZOO, pictures, "-o", "again.db", "--quiet").stderr == ""


def test_a_tight_deadline_leaves_models_out(fewer, pictures):
    got = fewer("label", ZOO, pictures, "-o", "run.db", "--deadline", "1us", "--json")
    assert got.returncode == 0, got.stderr
    label = json.loads(got.stdout)
    assert label["counts"]["executed"] == 0 and label["deadline_missed"] == 6


def test_bad_items_fail_and_the_rest_goes_on(fewer, pictures):
    (pictures / "p1.png").write_bytes(b"")
    (pictures / "p2.png").write_text("not a picture")
    got = fewer("label", ZOO, pictures, "-o", "run.db", "--json")
    assert got.returncode == 1
    label = json.loads(got.stdout)
    assert label["items"] == 6 and label["items_failed"] == 2
    assert "2 failures" in got.stderr and "p1.png" in got.stderr and "p2.png" in got.stderr
    assert "p3.png" not in got.stderr


def test_existing_store_is_kept(fewer, pictures, tmp_path):
    (tmp_path / "run.db").write_text("mine")
    got = fewer("label", ZOO, pictures, "-o", "run.db")
    assert got.returncode == 1 and "--force" in got.stderr
    assert (tmp_path / "run.db").read_text() == "mine"
    assert fewer("label", ZOO, pictures, "-o", "run.db", "--force").returncode == 0


def test_list_on_stdin(fewer, pictures):
    names = "\n".join(str(pictures / f"p{i}.png") for i in (4, 2)) + "\n"
    got = fewer("label", ZOO, "-", "-o", "run.db", "--json", stdin=names)
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["items"] == 2
    first = json.loads(fewer("export", "run.db").stdout.splitlines()[0])
    assert first["item"].endswith("p4.png")


def run_on_a_terminal(command, args, cwd, stop_at, number):
    """Runs with stderr on a terminal, sends the signal when stop_at appears; (exit status, what stderr said)."""
    master, slave = pty.openpty()
    process = subprocess.Popen([str(command), *map(str, args)], stdout=subprocess.PIPE, stderr=slave, cwd=cwd)
    os.close(slave)
    seen = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        before = stop_at in seen
        seen += piece
        if number and stop_at in seen and not before:
            process.send_signal(number)
    os.close(master)
    process.stdout.read()
    return process.wait(timeout=60), seen.decode()


def test_interrupted_runs_keep_what_is_done(fewer, command, pictures, tmp_path):
    (tmp_path / "many").mkdir()
    for i in range(3000):
        os.link(pictures / f"p{i % 6}.png", tmp_path / "many" / f"m{i}.png")
    status, words = run_on_a_terminal(command, ["label", ZOO, "many", "-o", "run.db"], tmp_path, b"/3000 items",
                                      signal.SIGINT)
    assert status == 130, words
    assert "interrupted after " in words
    done = int(words.split("interrupted after ")[1].split()[0])
    assert 0 < done < 3000
    assert len(fewer("export", "run.db").stdout.splitlines()) == done * n_models()


def test_progress_on_a_terminal(command, pictures, tmp_path):
    status, words = run_on_a_terminal(command, ["label", ZOO, pictures, "-o", "run.db"], tmp_path, b"", 0)
    assert status == 0
    assert "/6 items" in words and "models" in words and "\r" in words
    status, words = run_on_a_terminal(command, ["label", ZOO, pictures, "-o", "q.db", "-q"], tmp_path, b"", 0)
    assert (status, words) == (0, "")
