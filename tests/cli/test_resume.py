# SPDX-License-Identifier: Apache-2.0
"""Runs that go on where they were: interrupted, finished, failed, too large, forecast, looked at by others."""
import json
import os
import shlex
import shutil
import signal
import subprocess
import time

import pytest

import demo_data
from demo_data import MODELS, ZOO, counts_add_up, rows_of, without_times

N_ITEMS = 400
STARTS_AGAIN = "; --force starts again and replaces it, another -o FILE leaves it alone\n"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    return demo_data.draw(tmp_path_factory.mktemp("scenes"), 8)


@pytest.fixture(scope="module")
def many(scenes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("many") / "items"
    demo_data.many(folder, N_ITEMS, scenes)
    return folder


@pytest.fixture
def items(scenes, tmp_path):
    folder = tmp_path / "items"
    folder.mkdir()
    for path in scenes:
        shutil.copy(path, folder)
    return folder


def start(command, cwd, *args):
    """Runs until something is in the store, and on."""
    process = subprocess.Popen([str(command), *map(str, args)], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True)
    log = cwd / "run.db-wal"
    while process.poll() is None and not (log.exists() and log.stat().st_size > 100_000):
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()
    return process


def summary_of(got, status=0):
    assert got.returncode == status, got.stderr
    return json.loads(got.stdout)


def status_of(fewer, store="run.db"):
    status = summary_of(fewer("status", store, "--json"))
    assert sum(status["counts"].values()) == status["items"] * status["models"]
    return status


def contents(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


# ---- interrupted, and again ----

@pytest.mark.parametrize("verb", ["label", "record"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on(fewer, command, many, tmp_path, verb, number):
    line = [verb, ZOO, many, "-o", "run.db", "--lanes", 2]
    process = start(command, tmp_path, *line)
    process.send_signal(number)
    words = process.communicate(timeout=60)[1]
    assert process.returncode == 130, words
    assert "they are kept, and the same command goes on\n" in words
    done = int(words.split("interrupted after ")[1].split()[0])
    status = status_of(fewer)
    assert 0 < done == status["items"] < status["items_planned"] == N_ITEMS
    assert status["busy"] is False and status["notes"]["verb"] == verb
    assert not (tmp_path / "run.db-wal").exists()
    again = summary_of(fewer(*line, "--json"))
    assert again["items"] == N_ITEMS and again["items_kept"] == status["items"] and again["interrupted"] is False
    rows = rows_of(fewer, "run.db")
    counts_add_up(again, rows)
    whole = summary_of(fewer(verb, ZOO, many, "-o", "whole.db", "--json"))
    assert whole["items_kept"] == 0 and whole["counts"] == again["counts"]
    assert without_times(rows) == without_times(rows_of(fewer, "whole.db"))


def catches(process, number):
    with open(f"/proc/{process.pid}/status") as lines:
        caught = next(line for line in lines if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (number - 1) & 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_before_the_first_item(command, tmp_path, number):
    """It waits for the list of items."""
    process = subprocess.Popen([str(command), "label", str(ZOO), "-", "-o", "run.db"], cwd=tmp_path,
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not catches(process, signal.SIGTERM):
        time.sleep(0.005)
    process.send_signal(number)
    assert process.wait(timeout=60) == 130
    assert process.stderr.read() == "fewer: interrupted before the first item\n"
    assert list(tmp_path.iterdir()) == []


def test_the_command_that_status_tells(fewer, command, many, tmp_path):
    process = start(command, tmp_path, "label", ZOO, many, "-o", "run.db", "--memory", "100%", "--policy", "random:3")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    page = fewer("status", "run.db")
    assert page.returncode == 0 and page.stderr == ""
    assert page.stdout.startswith("run.db: a run of 'fewer label', not finished\n")
    line = page.stdout.split("to go on: fewer ")[1].splitlines()[0]
    assert f"      in: {tmp_path}\n" in page.stdout
    assert summary_of(fewer(*shlex.split(line), "--json"))["items"] == N_ITEMS
    page = fewer("status", "run.db").stdout
    assert page.startswith(f"run.db: a run of 'fewer label', finished\n{N_ITEMS} items, {len(MODELS)} models, ")
    assert "to go on" not in page and "retry" not in page


def test_a_finished_run_loads_nothing(fewer, items):
    line = ["label", ZOO, "items", "-o", "run.db", "--runtime"]
    first = summary_of(fewer("label", ZOO, "items", "-o", "run.db", "--json"))
    again = summary_of(fewer(*line, "/no/such/lib.so", "--json"))
    assert again["items_kept"] == again["items"] == 8
    assert again["counts"] == first["counts"] and again["time_ms"] == first["time_ms"]
    words = fewer(*line, "/no/such/lib.so").stderr
    assert words.startswith(f"8 items, {len(MODELS)} models, ") and "8 of 8 items were done before\n" in words


def test_what_is_new_or_changed_is_done(fewer, items, scenes, tmp_path):
    fewer("label", ZOO, "items", "-o", "run.db", "--limit", 5)
    (items / scenes[1].name).write_bytes(scenes[1].read_bytes() + b"changed")
    more = summary_of(fewer("label", ZOO, "items", "-o", "run.db", "--json"))
    assert (more["items"], more["items_kept"]) == (8, 4)
    fewer("label", ZOO, "items", "-o", "whole.db")
    assert without_times(rows_of(fewer, "run.db")) == without_times(rows_of(fewer, "whole.db"))


def test_force_starts_again(fewer, items):
    line = ["label", ZOO, "items", "-o", "run.db", "--json"]
    assert summary_of(fewer(*line))["items_kept"] == 0
    assert summary_of(fewer(*line, "--limit", 3, "--force"))["items_kept"] == 0
    assert status_of(fewer)["items"] == status_of(fewer)["items_planned"] == 3


@pytest.mark.parametrize("line, words", [
    (["label", ZOO, "items", "-o", "run.db", "--deadline", "9s"], "deadline_ms 0, now 9000"),
    (["label", ZOO, "items", "-o", "run.db", "--policy", "random"], "policy run_all, now random"),
    (["label", ZOO, "items", "-o", "run.db", "--all-variants"], "variants dearest, now all"),
    (["record", ZOO, "items", "-o", "run.db"], "run"),
], ids=["deadline", "policy", "variants", "purpose"])
def test_another_run_than_the_file_is_of(fewer, items, line, words):
    fewer("label", ZOO, "items", "-o", "run.db")
    before = rows_of(fewer, "run.db")
    got = fewer(*line, "--json")
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr.startswith("fewer: run.db: ") and got.stderr.endswith(STARTS_AGAIN) and got.stderr.count("\n") == 1
    assert words in got.stderr
    assert rows_of(fewer, "run.db") == before
    assert fewer(*line, "--force").returncode == 0


# ---- failed items ----

def test_retry(fewer, command, items, scenes, tmp_path):
    broken = items / scenes[2].name
    whole = broken.read_bytes()
    broken.write_bytes(whole[:40])
    got = fewer("label", ZOO, "items", "-o", "run.db", "--deadline", "30s", "--json")
    first = summary_of(got, 1)
    assert first["items_failed"] == 1
    assert "  'fewer retry run.db' does what failed again\n" in got.stderr
    again = fewer("label", ZOO, "items", "-o", "run.db", "--deadline", "30s")
    assert again.returncode == 1
    assert f"fewer: {len(MODELS)} answers failed before\n  'fewer retry run.db'" in again.stderr
    assert summary_of(fewer("retry", "run.db", "--json"), 1)["items_retried"] == 1

    broken.write_bytes(whole)
    (tmp_path / "elsewhere").mkdir()
    got = subprocess.run([command, "retry", "../run.db", "--json"], cwd=tmp_path / "elsewhere", capture_output=True,
                         text=True)
    retried = summary_of(got)
    assert (retried["items"], retried["items_retried"], retried["items_failed"]) == (8, 1, 0)
    rows = rows_of(fewer, "run.db")
    counts_add_up(retried, rows)
    assert status_of(fewer)["items_planned"] == 8
    fewer("label", ZOO, "items", "-o", "whole.db", "--deadline", "30s")
    assert without_times(rows) == without_times(rows_of(fewer, "whole.db"))

    got = fewer("retry", "run.db")
    assert (got.returncode, got.stdout) == (0, "")
    assert got.stderr == "nothing to retry: none of the 8 items of run.db failed\n"
    nothing = summary_of(fewer("retry", "run.db", "--json"))
    assert (nothing["items"], nothing["items_retried"]) == (8, 0)


def test_retry_where_the_folder_is_gone(fewer, command, items, tmp_path):
    (tmp_path / "there").mkdir()
    (items / "x.png").write_text("no picture")
    line = [command, "label", ZOO, "../items", "-o", "../run.db"]
    assert subprocess.run(line, cwd=tmp_path / "there", capture_output=True).returncode == 1
    (tmp_path / "there").rmdir()
    got = fewer("retry", "run.db")
    assert got.returncode == 1
    assert got.stderr == f"fewer: {tmp_path}/there: the run was started in this folder: No such file or directory\n"


def test_retry_of_a_file_without_notes(fewer, zoo, outputs):
    outputs.write_text('{"image": "i.jpg", "w": 8, "h": 6, "error": "no such picture"}\n')
    assert fewer("import", outputs, "--zoo", zoo, "-o", "trace.db").returncode == 0
    got = fewer("retry", "trace.db")
    assert got.returncode == 1
    assert got.stderr == "fewer: trace.db: expected a file of 'fewer label' or 'record', found no 'verb' in its notes\n"


# ---- a forecast ----

def test_dry_run_writes_nothing(fewer, items, tmp_path):
    before = contents(tmp_path)
    for verb in ("label", "record"):
        forecast = summary_of(fewer(verb, ZOO, "items", "-o", "run.db", "--dry-run", "--json", "--lanes", 2))
        assert (forecast["items"], forecast["items_kept"], forecast["lanes"]) == (8, 0, 2)
        assert forecast["bytes"] == sum(path.stat().st_size for path in items.iterdir())
        assert [model["name"] for model in forecast["models"]] == MODELS
        assert forecast["models_expected"] == sum(model["runs"] for model in forecast["models"])
        assert 0 < forecast["time_ms"]["item"] and 0 < forecast["time_ms"]["total"] and forecast["store_bytes"] > 0
        assert contents(tmp_path) == before
    assert forecast["models_expected"] == len(MODELS)
    assert summary_of(fewer("label", ZOO, "items", "-n", "--json"))["items"] == 8
    page = fewer("label", ZOO, "items", "-o", "run.db", "--deadline", "1us", "--dry-run")
    assert page.returncode == 0 and page.stderr == ""
    assert page.stdout.startswith("8 items to do, ") and "be left out" in page.stdout
    assert "disk " in page.stdout and " more in run.db\n" in page.stdout
    assert contents(tmp_path) == before


def test_dry_run_of_what_is_left(fewer, items):
    fewer("label", ZOO, "items", "-o", "run.db", "--limit", 5)
    rows, status = rows_of(fewer, "run.db"), status_of(fewer)
    line = ["label", ZOO, "items", "-o", "run.db", "--dry-run"]
    forecast = summary_of(fewer(*line, "--json"))
    assert (forecast["items"], forecast["items_kept"]) == (3, 5)
    assert fewer(*line).stdout.startswith("5 of 8 items were done before\n3 items to do, ")
    assert summary_of(fewer(*line, "--force", "--json"))["items"] == 8
    assert rows_of(fewer, "run.db") == rows
    assert status_of(fewer) == status
    whole = fewer("label", ZOO, "items", "-o", "run.db", "--limit", 5, "--dry-run").stdout
    assert whole == "5 of 5 items were done before\n0 items to do, 0 KiB\n"


# ---- storage, memory, lanes, duplicates ----

def test_a_full_store_goes_on_with_more(fewer, many, tmp_path):
    line = ["record", ZOO, many, "-o", "run.db", "--json", "--storage"]
    got = fewer(*line, "1MB")
    full = summary_of(got, 1)
    assert 0 < full["items"] < N_ITEMS and full["store_bytes"] <= 1_000_000
    assert "full: " in got.stderr and got.stderr.endswith("go on with a higher limit (--storage)\n"), got.stderr
    rows = rows_of(fewer, "run.db")
    counts_add_up(full, rows)
    more = summary_of(fewer(*line, "1GB"))
    assert more["items"] == N_ITEMS and more["items_kept"] == full["items"]
    assert without_times(rows_of(fewer, "run.db"))[:len(rows)] == without_times(rows)


def test_duplicates_are_reused(fewer, items, scenes):
    for i in range(3):
        shutil.copy(scenes[0], items / f"z{i}{scenes[0].suffix}")
    summary = summary_of(fewer("label", ZOO, "items", "-o", "run.db", "--json"))
    rows = rows_of(fewer, "run.db")
    counts_add_up(summary, rows)
    reused = [row for row in rows if row["status"] == "reused"]
    assert reused and {os.path.basename(row["item"])[0] for row in reused} == {"z"}
    first = {row["model"]: row for row in rows[:len(MODELS)]}
    for row in reused:
        assert row["output"] == first[row["model"]]["output"]


def test_lanes_do_not_change_answers(fewer, many):
    exports = []
    for lanes in (1, 2):
        line = ["label", ZOO, many, "-o", f"{lanes}.db", "--lanes", lanes, "--limit", 60, "--json"]
        assert summary_of(fewer(*line))["lanes"] == lanes
        exports.append(without_times(rows_of(fewer, f"{lanes}.db")))
    assert exports[0] == exports[1]
    assert summary_of(fewer("label", ZOO, many, "-o", "1.db", "--lanes", 2, "--limit", 60, "--json"))["items_kept"] == 60


def test_memory_in_bytes_and_shares(fewer, items, tmp_path):
    whole = summary_of(fewer("label", ZOO, "items", "-o", "whole.db", "--json"))
    assert whole["memory_bytes"] == 0
    forecast = summary_of(fewer("label", ZOO, "items", "-n", "--json"))
    all_bytes = forecast["models_bytes"]
    assert all_bytes == sum(model["memory_bytes"] for model in forecast["models"]) > 0
    for name, memory in (("bytes", all_bytes), ("share", "100%")):
        got = summary_of(fewer("label", ZOO, "items", "-o", f"{name}.db", "--memory", memory, "--json"))
        assert got["memory_bytes"] > 0 and got["counts"] == whole["counts"]
    got = fewer("label", ZOO, "items", "-o", "small.db", "--memory", "1kB")
    assert got.returncode == 1 and "model 'scene_small' alone takes" in got.stderr
    assert not (tmp_path / "small.db").exists()


@pytest.mark.parametrize("option, base, small", [
    (["--quiet"], "dearest of each variant group", False),
    (["--all-variants"], "all models", True),
])
def test_variants(fewer, items, option, base, small):
    got = summary_of(fewer("label", ZOO, "items", "-o", "run.db", "--json", *option))
    assert got["time_ms"]["base"] == base
    ran = {row["model"] for row in rows_of(fewer, "run.db") if row["status"] == "executed"}
    assert "scene_large" in ran and ("scene_small" in ran) == small


# ---- others look on ----

def test_two_processes_on_one_file(fewer, command, many, tmp_path):
    line = ["label", ZOO, many, "-o", "run.db"]
    process = start(command, tmp_path, *line)
    page = fewer("status", "run.db")
    assert page.stdout.startswith("run.db: a run of 'fewer label', being written now\n")
    for more in ([], ["--dry-run"]):
        got = fewer(*line, *more)
        assert (got.returncode, got.stdout) == (1, "")
        assert got.stderr == f"fewer: run.db: another process (pid {process.pid}) is writing to it\n"
    assert fewer(*line, "--force").returncode == 1
    assert status_of(fewer)["busy"] is True
    process.send_signal(signal.SIGINT)
    words = process.communicate(timeout=60)[1]
    assert process.returncode == 130, words
    assert summary_of(fewer(*line, "--json"))["items"] == N_ITEMS


def test_names_that_are_not_utf8(fewer, scenes, tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    for path in scenes[:2]:
        shutil.copy(path, folder)
    line = ["label", ZOO, folder, "-o", folder / "run.db"]
    assert summary_of(fewer(*line, "--json"))["items"] == 2
    assert summary_of(fewer(*line, "--json"))["items_kept"] == 2
    status = status_of(fewer, line[-1])
    assert status["file"].endswith("/caf?/run.db") and "data" not in status["notes"]
    assert summary_of(fewer("retry", line[-1], "--json"))["items_retried"] == 0


def test_status_of_other_files(fewer, zoo, outputs, tmp_path):
    assert fewer("import", outputs, "--zoo", zoo, "-o", "trace.db").returncode == 0
    status = status_of(fewer, "trace.db")
    assert (status["purpose"], status["items"], status["models"], status["busy"]) == ("trace", 10, 2, False)
    assert fewer("status", "trace.db").stdout.startswith("trace.db: a trace\n10 items, 2 models, ")
    (tmp_path / "text.db").write_text("no run at all")
    whole = (tmp_path / "trace.db").read_bytes()
    (tmp_path / "half.db").write_bytes(whole[:len(whole) // 2])
    for name in ("none.db", "text.db", "half.db"):
        got = fewer("status", name, "--json")
        assert (got.returncode, got.stdout) == (1, "")
        assert got.stderr.startswith(f"fewer: {name}: ") and got.stderr.count("\n") == 1
        assert fewer("retry", name).stderr == got.stderr
