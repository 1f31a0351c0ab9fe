# SPDX-License-Identifier: Apache-2.0
"""A run that is killed, at any moment and any number of times, goes on with the same command and comes to what an
undisturbed run comes to; nothing that was kept is done again, and little that was done is lost."""
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

import demo_data
from conftest import BUILD
from small_zoo import MODELS, lines_of, place, write_items, write_zoo

SHIM = BUILD / "tests" / "fault" / "fault_shim.so"
N_ITEMS = 200
BATCH, UNDER_WAY = 64, 8  # items of one transaction (src/store/store.h); those being worked on beside it
SEED = int(os.environ.get("FEW_TEST_SEED", "2026"))
TIMEOUT = 120
REST = ["zoo.yaml", "items", "-o", "run.db", "--lanes", "2", "--in-flight", "4"]
LABEL, RECORD = ["label", *REST], ["record", *REST]

if not SHIM.is_file():
    pytest.skip(f"no {SHIM.name}: build first", allow_module_level=True)


class Folder:
    """A zoo and items; the command in it, with the shim that tells which files were opened."""

    def __init__(self, command, path):
        self.command, self.path, self.store = command, path, path / "run.db"
        self.opened = path.with_name(path.name + ".opened")

    def environment(self, fault=None):
        self.opened.unlink(missing_ok=True)
        env = os.environ | {"LD_PRELOAD": str(SHIM), "FEW_FAULT_UNDER": str(self.path),
                            "FEW_FAULT_OPENED": str(self.opened)}
        return env | ({"FEW_FAULT": fault} if fault else {})

    def start(self, *args, fault=None):
        return subprocess.Popen([str(self.command), *(args or LABEL)], cwd=self.path, env=self.environment(fault),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *args, fault=None):
        process = self.start(*args, fault=fault)
        try:
            out, words = process.communicate(timeout=TIMEOUT)
        finally:
            process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, out, words)

    def items_opened(self):
        """Paths of items that the last command read, as the store names them."""
        lines = self.opened.read_text().splitlines() if self.opened.exists() else []
        return {line for line in lines if line.startswith("items/")}

    def export(self):
        got = self.run("export", "run.db")
        assert got.returncode == 0, got.stderr
        return lines_of(got.stdout, keep_order=True)

    def kept(self):
        """Paths of the items in the store, looked at in a copy: reading would finish the log of the killed process."""
        copy = self.path.with_name(self.path.name + ".copy")
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir()
        for end in ("", "-wal", "-journal"):
            if (file := self.path / f"run.db{end}").exists():
                shutil.copy(file, copy / file.name)
        return look_into(copy / "run.db", self.command) if (copy / "run.db").exists() else []

    def clear(self):
        for file in self.path.glob("run.db*"):
            file.unlink()


def look_into(store, command):
    """Paths of the items of a store; the six counts of its results and of `status` add up to items x models."""
    with contextlib.closing(sqlite3.connect(store)) as db:
        if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            return []
        paths = [path for (path,) in db.execute("SELECT path FROM items ORDER BY id")]
        counts = dict(db.execute("SELECT outcome, count(*) FROM results GROUP BY outcome"))
        whole = db.execute("SELECT count(*) FROM (SELECT item FROM results GROUP BY item HAVING count(*) = ?)",
                           [len(MODELS)]).fetchone()[0]
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert set(counts) <= set(range(6)) and sum(counts.values()) == len(paths) * len(MODELS)
    assert whole == len(paths) == len(set(paths))
    status = subprocess.run([str(command), "status", str(store), "--json"], capture_output=True, text=True)
    assert status.returncode == 0, status.stderr
    said = json.loads(status.stdout)
    assert said["items"] == len(paths) and sum(said["counts"].values()) == len(paths) * len(MODELS)
    return paths


@pytest.fixture(scope="module")
def folder(command, tmp_path_factory):
    top = tmp_path_factory.mktemp("kill")
    path = top / "work"
    path.mkdir()
    write_zoo(path)
    write_items(path, demo_data.draw(top / "drawn", 12), N_ITEMS, twins=50)
    return Folder(command, path)


def run_whole(folder, args):
    """(lines of the export, seconds that it took)"""
    folder.clear()
    begin = time.monotonic()
    got = folder.run(*args)
    seconds = time.monotonic() - begin
    assert got.returncode == 0, got.stderr
    lines = folder.export()
    assert len(lines) == N_ITEMS * len(MODELS)
    return lines, seconds


@pytest.fixture(scope="module")
def undisturbed(folder):
    lines, seconds = run_whole(folder, LABEL)
    assert any('"reused"' in line for line in lines)
    return lines, seconds


class Series:
    """One run, killed and started again until it is finished."""

    def __init__(self, folder, args=LABEL):
        self.folder, self.args, self.before, self.kills = folder, args, [], 0
        folder.clear()

    def check_stop(self):
        """After each end, however it came: what was kept is still there and was not read again, little was lost."""
        after, read = self.folder.kept(), self.folder.items_opened()
        assert after[:len(self.before)] == self.before
        assert not read & set(self.before), f"read again: {sorted(read & set(self.before))[:5]}"
        lost = read - set(after)
        assert len(lost) <= BATCH + UNDER_WAY, f"{len(lost)} items were read and are not kept"
        self.before = after

    def kill_after(self, seconds):
        """Start, kill after so many seconds; false when the run was finished before."""
        process = self.folder.start(*self.args)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=seconds)
        process.kill()
        words = process.communicate()[1]
        finished = process.returncode != -signal.SIGKILL
        assert process.returncode in (0, -signal.SIGKILL), words
        self.kills += not finished
        self.check_stop()
        return not finished

    def kill_at(self, fault):
        """The same, killed in front of the Nth call of one kind."""
        got = self.folder.run(*self.args, fault=fault + ":KILL")
        assert got.returncode in (0, -signal.SIGKILL), got.stderr
        self.check_stop()
        return got.returncode != 0

    def finish(self, lines):
        got = self.folder.run(*self.args)
        assert got.returncode == 0, got.stderr
        self.check_stop()
        assert self.folder.export() == lines


def kill_often(folder, undisturbed, kills, seed, args=LABEL):
    """So many kills, spread over runs of at most five: the moments lie anywhere between start and end."""
    lines, seconds = undisturbed
    moments, done, runs = random.Random(seed), 0, 0
    while done < kills:
        series = Series(folder, args)
        while series.kills < min(5, kills - done) and series.kill_after(moments.uniform(0, seconds)):
            pass
        series.finish(lines)
        done += series.kills
        runs += 1
        assert runs < 10 * kills, "the runs end before they are killed"
    return runs


def test_killed_at_any_moment(folder, undisturbed):
    kill_often(folder, undisturbed, 30, SEED)


def test_a_recording_killed_at_any_moment(folder):
    kill_often(folder, run_whole(folder, RECORD), 6, SEED, RECORD)


@pytest.mark.long
def test_killed_a_thousand_times(folder, undisturbed):
    kill_often(folder, undisturbed, 1000, SEED + 1)


def geometric(n):
    found, i = [], 1
    while i < n:
        found.append(i)
        i *= 3
    return [*found, n]


def calls(folder, kind):
    """How many calls of a kind an undisturbed run makes."""
    folder.clear()
    log = folder.path.with_name("calls")
    env = folder.environment("open:1000000000") | {"FEW_FAULT_LOG": str(log)}
    subprocess.run([str(folder.command), *LABEL], cwd=folder.path, env=env, check=True, capture_output=True)
    return dict(line.split()[:2] for line in log.read_text().splitlines())[kind]


@pytest.mark.parametrize("kind", ["open", "write", "sync", "truncate"])
def test_killed_in_front_of_a_call(folder, undisturbed, kind):
    for n in geometric(int(calls(folder, kind))):
        series = Series(folder)
        assert series.kill_at(f"{kind}:{n}"), f"{kind}:{n} did not come"
        series.finish(undisturbed[0])


@pytest.mark.long
@pytest.mark.parametrize("kind", ["write", "sync", "truncate"])
def test_killed_in_front_of_every_call(folder, undisturbed, kind):
    for n in range(1, int(calls(folder, kind)) + 1):
        series = Series(folder)
        assert series.kill_at(f"{kind}:{n}") or n > 1
        series.finish(undisturbed[0])


def test_killed_again_and_again_at_one_place(folder, undisturbed):
    """Every attempt gets a little further, or at least no less far."""
    series = Series(folder)
    for _ in range(8):
        series.kill_at("write:60")
    series.finish(undisturbed[0])


def wait_until_it_writes(process, store):
    log = store.with_name(store.name + "-wal")
    while process.poll() is None and not (log.exists() and log.stat().st_size > 100_000):
        time.sleep(0.002)
    assert process.poll() is None


@pytest.mark.parametrize("more", [[], ["--force"]])
def test_two_processes_on_one_run(folder, undisturbed, more):
    folder.clear()
    first = folder.start()
    wait_until_it_writes(first, folder.store)
    first.send_signal(signal.SIGSTOP)
    try:
        second = folder.run(*LABEL, *more)
    finally:
        first.send_signal(signal.SIGCONT)
    words = first.communicate(timeout=TIMEOUT)[1]
    assert second.returncode == 1 and "run.db" in second.stderr and "another process" in second.stderr, second.stderr
    assert first.returncode == 0, words
    assert folder.export() == undisturbed[0]


def refuses(folder, *args):
    """It says so, and the store stays as it is, byte for byte."""
    before = folder.store.read_bytes()
    got = folder.run(*(args or LABEL))
    assert got.returncode == 1 and "run.db" in got.stderr, got.stderr
    assert folder.store.read_bytes() == before
    return got.stderr


@pytest.fixture
def small(command, tmp_path):
    """A finished run of a few items that may be spoilt."""
    path = tmp_path / "work"
    path.mkdir()
    write_zoo(path)
    write_items(path, demo_data.draw(tmp_path / "drawn", 6), 6)
    folder = Folder(command, path)
    assert folder.run(*LABEL).returncode == 0
    return folder


def test_a_store_of_another_version(small):
    with contextlib.closing(sqlite3.connect(small.store)) as db:
        db.execute("PRAGMA user_version = 99")
    assert "99" in refuses(small)
    assert small.run(*LABEL, "--force").returncode == 0


def test_a_run_of_another_zoo(small):
    for file in (small.path / "models", small.path / "zoo.yaml"):
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    write_zoo(small.path, MODELS[:-1])
    assert "7 models" in refuses(small)
    assert small.run(*LABEL, "--force").returncode == 0


def test_a_run_with_another_configuration(small):
    assert "deadline" in refuses(small, *LABEL, "--deadline", "5s")


def test_a_store_that_is_no_store(small):
    for content in (b"mine", b"SQLite format 3\0" + bytes(84)):
        small.store.write_bytes(content)
        refuses(small)


def test_items_that_changed_are_done_again(small):
    expected = small.export()
    victim = sorted((small.path / "items").iterdir())[2]
    other = sorted((small.path / "items").iterdir())[4]
    data = other.read_bytes()
    victim.unlink()
    victim.write_bytes(data + b"changed")
    assert small.run(*LABEL).returncode == 0
    assert small.items_opened() == {f"items/{victim.name}"}
    changed = small.export()
    of_victim = [line for line in changed if victim.name in line]
    assert len(changed) == len(expected) and len(of_victim) == len(MODELS)
    assert [line for line in changed if victim.name not in line] == [line for line in expected if victim.name not in line]


@pytest.mark.long
def test_a_finished_run_of_many_items_starts_at_once(command, tmp_path):
    path, drawn = tmp_path / "work", demo_data.draw(tmp_path / "drawn", 10)
    path.mkdir()
    write_zoo(path, ["scene_small"])
    (path / "items").mkdir()
    for i in range(100_000):
        place(drawn[i % len(drawn)], path / "items" / f"m{i:06d}{drawn[i % len(drawn)].suffix}")
    folder = Folder(command, path)
    got = folder.run(*LABEL, "-q")
    assert got.returncode == 0, got.stderr
    begin = time.monotonic()
    got = folder.run(*LABEL, "--json", "-q")
    seconds = time.monotonic() - begin
    assert got.returncode == 0, got.stderr
    said = json.loads(got.stdout)
    print(f"again on a finished run of {said['items']} items: {seconds:.2f} s")
    assert said["items"] == said["items_kept"] == 100_000
    assert not folder.items_opened()
    assert not any("models/" in line for line in Path(folder.opened).read_text().splitlines() if "zoo" in line)
