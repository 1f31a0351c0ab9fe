# SPDX-License-Identifier: Apache-2.0
"""fewer train, and what label does with a policy: what comes out, after any end the same file, what is refused."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

import demo_data
from conftest import BUILD
from small_zoo import MODELS, lines_of, write_items, write_zoo

SHIM = BUILD / "tests" / "fault" / "fault_shim.so"
N_ITEMS = 30
TRAIN = ["train", "trace.db", "-o", "p.st", "--split", "100", "--method", "static"]


class Folder:
    """A zoo, items, a trace of them, and the command there."""

    def __init__(self, command, path):
        self.command, self.path = command, path

    def run(self, *args, fault=None, timeout=120):
        env = dict(os.environ)
        if fault:
            env |= {"LD_PRELOAD": str(SHIM), "FEW_FAULT": fault, "FEW_FAULT_UNDER": str(self.path),
                    "FEW_FAULT_LOG": str(self.path) + ".log"}
        return subprocess.run([str(self.command), *map(str, args)], cwd=self.path, capture_output=True, text=True,
                              timeout=timeout, env=env)

    def calls(self):
        rows = [line.split() for line in (self.path.with_name(self.path.name + ".log")).read_text().splitlines()]
        return {kind: int(n) for kind, n, _ in rows}

    def policy(self):
        return (self.path / "p.st").read_bytes()

    def copy(self, path):
        shutil.copytree(self.path, path)
        return Folder(self.command, path)


@pytest.fixture(scope="module")
def recorded(command, tmp_path_factory):
    top = tmp_path_factory.mktemp("train")
    write_zoo(top)
    write_items(top, demo_data.draw(top / "drawn", 10), N_ITEMS)
    shutil.rmtree(top / "drawn")
    folder = Folder(command, top)
    got = folder.run("record", "zoo.yaml", "items", "-o", "trace.db")
    assert got.returncode == 0, got.stderr
    return folder


@pytest.fixture
def folder(recorded, tmp_path):
    return recorded.copy(tmp_path / "f")


@pytest.fixture(scope="module")
def trained(recorded, tmp_path_factory):
    folder = recorded.copy(tmp_path_factory.mktemp("trained") / "f")
    got = folder.run(*TRAIN)
    assert got.returncode == 0, got.stderr
    return folder


@pytest.fixture
def ready(trained, tmp_path):
    return trained.copy(tmp_path / "f")


def words_of(policy):
    n = int.from_bytes(policy[:8], "little")
    return json.loads(json.loads(policy[8:8 + n])["__metadata__"]["fewer.policy"])


# ---- train ----


def test_json(folder):
    got = folder.run(*TRAIN, "--seed", "3", "--json")
    assert got.returncode == 0 and got.stderr == "", got.stderr
    train = json.loads(got.stdout)
    assert train["items"] == N_ITEMS and train["models"] == len(MODELS) and train["seed"] == 3
    assert train["preferred"] == "static" and list(train["methods"]) == ["static"]
    promise = train["methods"]["static"]["promise"]["0.9"]
    assert promise["low"] <= promise["recall"] <= promise["high"] and promise["recall"] >= 0.9
    words = words_of(folder.policy())
    assert words["version"] == 1 and words["seed"] == "3" and words["split"] == 100 and words["items"] == N_ITEMS
    assert [model["name"] for model in words["models"]] == MODELS
    assert not (folder.path / "p.st.training").exists()


def test_words(folder):
    got = folder.run(*TRAIN)
    assert got.returncode == 0 and got.stderr == "", got.stderr
    lines = got.stdout.splitlines()
    assert lines[0].split() == ["time", "at", "recall,", "%", "0.8", "0.9", "0.95"]
    assert lines[1].split()[0] == "static" and lines[1].split()[-1] == "preferred"
    assert lines[-1] == "kept in p.st"
    got = folder.run(*TRAIN, "--force", "--quiet")
    assert (got.returncode, got.stdout, got.stderr) == (0, "", "")


def test_safetensors_library_reads_it(trained):
    library = pytest.importorskip("safetensors")
    with library.safe_open(trained.path / "p.st", "np") as file:
        words = json.loads(file.metadata()["fewer.policy"])
        assert words["preferred"] == "static"
        assert file.get_tensor("static.rate").shape == (len(MODELS),)


def test_never_overwrites(ready):
    before = ready.policy()
    got = ready.run(*TRAIN, "--seed", "9")
    assert got.returncode == 1 and "exists already; --force replaces it" in got.stderr
    assert ready.policy() == before
    got = ready.run(*TRAIN, "--seed", "9", "--force")
    assert got.returncode == 0 and ready.policy() != before


def test_threads_change_nothing(ready):
    first = ready.policy()
    for threads in ("1", "2", "5"):
        got = ready.run(*TRAIN, "--threads", threads, "--force")
        assert got.returncode == 0, got.stderr
        assert ready.policy() == first


def test_only_and_from(ready):
    first = ready.policy()
    got = ready.run("train", "trace.db", "-o", "q.st", "--split", "100", "--only", "agent", "--method", "static",
                    "--from", "p.st")
    assert got.returncode == 0, got.stderr
    assert (ready.path / "q.st").read_bytes() == first
    got = ready.run("train", "trace.db", "-o", "r.st", "--split", "50", "--method", "static", "--from", "p.st")
    assert got.returncode == 1 and "expected a policy of split 50" in got.stderr


def test_dry_run(folder):
    got = folder.run(*TRAIN, "--dry-run", "--json")
    assert got.returncode == 0, got.stderr
    plan = json.loads(got.stdout)
    assert plan["items"] == N_ITEMS and plan["pieces"] == 6 and plan["pieces_kept"] == 0
    assert folder.run(*TRAIN, "--dry-run").stdout == f"{N_ITEMS} items of {len(MODELS)} models, 6 pieces to learn, " \
                                                     "0 of them done before\n"
    assert not (folder.path / "p.st").exists()


@pytest.mark.parametrize("args,what", [
    (["train", "trace.db"], "expected -o FILE"),
    (["train", "-o", "p.st"], "TRACE"),
    (["train", "trace.db", "-o", "p.st", "--split", "101"], "--split"),
    (["train", "trace.db", "-o", "p.st", "--threads", "0"], "--threads"),
    (["train", "trace.db", "-o", "p.st", "--only", "links"], "--only: expected agent, found 'links'"),
    (["train", "trace.db", "-o", "p.st", "--method", "static,"], "--method"),
    (["label", "zoo.yaml", "items", "-o", "run.db", "--recall", "0.9"], "policy 'run_all': expected a file"),
    (["label", "zoo.yaml", "items", "-o", "run.db", "--policy", "p.st", "--recall", "1.5"], "--recall"),
    (["label", "zoo.yaml", "items", "-o", "run.db", "--policy", "p.st", "--recall", "0.1"], "expected a recall from 0.3"),
    (["label", "zoo.yaml", "items", "-o", "run.db", "--policy", "p.st:dqn2"], "expected one of its methods (static)"),
    (["label", "zoo.yaml", "items", "-o", "run.db", "--policy", "none.st"], "expected a file of 'fewer train'"),
])
def test_usage(trained, args, what):
    got = trained.run(*args)
    assert got.returncode == 2 and what in got.stderr, got.stderr
    assert not (trained.path / "run.db").exists()


@pytest.mark.parametrize("args,what", [
    (["train", "none.db", "-o", "q.st"], "none.db"),
    (["train", "zoo.yaml", "-o", "q.st"], "zoo.yaml"),
    (["train", "trace.db", "-o", "q.st", "--method", "magic"], 'found "magic"'),
    (["train", "trace.db", "-o", "q.st", "--source", "zebra"], "begin with 'zebra'"),
    (["train", "trace.db", "-o", "q.st", "--from", "trace.db"], "trace.db: expected a policy, found a trace or run"),
    (["train", "trace.db", "-o", "none/q.st", "--method", "static"], "none/q.st"),
    (["label", "zoo.yaml", "items", "-o", "run.db", "--policy", "trace.db"], "expected a policy, found a trace or run"),
    (["eval", "trace.db", "--policy", "trace.db"], "expected a policy, found a trace or run"),
])
def test_refused(trained, args, what):
    got = trained.run(*args)
    assert got.returncode == 1 and what in got.stderr, got.stderr
    assert not (trained.path / "q.st").exists()


# ---- an end before the end ----


@pytest.mark.skipif(not SHIM.is_file(), reason=f"no {SHIM.name}: build first")
@pytest.mark.parametrize("kind", ["open", "write", "thread", "malloc", "read"])
def test_any_call_may_fail_or_be_the_last(trained, tmp_path, kind):
    expected = trained.policy()
    args = [*TRAIN, "--threads", "2"]
    folder = trained.copy(tmp_path / "count")
    (folder.path / "p.st").unlink()
    assert folder.run(*args, fault="open:1000000000").returncode == 0
    n = folder.calls()[kind]
    numbers = sorted({1, 2, 3, n, *range(1, n, max(1, n // 6))} & set(range(1, n + 1)))
    for number in numbers:
        for fault in (f"{kind}:{number}", f"{kind}:{number}:KILL"):
            folder = trained.copy(tmp_path / fault.replace(":", "-"))
            (folder.path / "p.st").unlink()
            got = folder.run(*args, fault=fault)
            assert got.returncode in (0, 1, -signal.SIGKILL), f"{fault}: {got.returncode}: {got.stderr}"
            assert got.returncode != 1 or got.stderr.strip(), f"{fault}: said nothing"
            if not (folder.path / "p.st").exists():
                assert got.returncode != 0, fault
                got = folder.run(*args)
                assert got.returncode == 0, f"{fault}, then again: {got.stderr}"
                assert not (folder.path / "p.st.training").exists(), fault
            assert folder.policy() == expected, fault
            shutil.rmtree(folder.path)


def wait_for_piece(folder, process):
    until = time.monotonic() + 100
    while not list(folder.path.glob("p.st.training/*.piece")) and time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def test_interrupt(folder):
    """Ctrl-C in a long piece: 130, what is finished stays, and is taken by the same command."""
    args = [str(folder.command), "train", "trace.db", "-o", "p.st", "--split", "100", "--json"]
    process = subprocess.Popen(args, cwd=folder.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for_piece(folder, process)
    process.send_signal(signal.SIGINT)
    out, words = process.communicate(timeout=60)
    assert process.returncode == 130 and out == "", words
    assert "what is learned so far is kept in p.st.training, and the same command goes on" in words
    assert not (folder.path / "p.st").exists()
    got = folder.run(*args[1:], "--dry-run")
    assert json.loads(got.stdout)["pieces_kept"] > 0
    kept = len(list(folder.path.glob("p.st.training/static*.piece")))
    got = folder.run(*TRAIN, "--json")
    assert got.returncode == 0 and json.loads(got.stdout)["pieces_kept"] == kept
    assert not (folder.path / "p.st.training").exists()


@pytest.mark.long
def test_killed_networks(folder):
    """With networks: killed three times, gone on on two threads, the file of an undisturbed training on one."""
    args = ["train", "trace.db", "-o", "p.st", "--split", "100", "--method", "static,value_net"]
    assert folder.run(*args, timeout=900).returncode == 0
    expected = folder.policy()
    (folder.path / "p.st").unlink()
    for kill in range(3):
        process = subprocess.Popen([str(folder.command), *args, "--threads", "2"], cwd=folder.path,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until, seen = time.monotonic() + 600, 6 + kill
        while len(list(folder.path.glob("p.st.training/*.piece"))) < seen and time.monotonic() < until:
            time.sleep(0.05)
        process.kill()
        process.wait()
    got = folder.run(*args, "--threads", "2", "--json", timeout=900)
    assert got.returncode == 0 and json.loads(got.stdout)["pieces_kept"] >= 8
    assert folder.policy() == expected


# ---- label ----


def label(folder, *more, store="run.db"):
    got = folder.run("label", "zoo.yaml", "items", "--policy", "p.st", "-o", store, "--json", *more)
    assert got.returncode == 0, got.stderr
    return json.loads(got.stdout)


def test_label_for_a_recall(ready):
    everything = label(ready, store="all.db")
    assert "promise" not in everything
    some = label(ready, "--recall", "0.8")
    promise = some["promise"]
    assert promise["method"] == "static" and promise["held_out"] is True
    assert promise["low"] <= promise["recall"] <= promise["high"] and 0 < promise["time_ratio"] < 1
    assert some["counts"]["executed"] < everything["counts"]["executed"]
    rows = [json.loads(line) for line in ready.run("export", "run.db").stdout.splitlines()]
    for row in rows:
        if row["status"] == "executed":
            assert row["reason"].startswith("chosen by static: worth ") and "/ms, price " in row["reason"]
    assert any(row["reason"].startswith("not worth its time, says static: ") for row in rows)
    assert len({row["reason"] for row in rows}) < 40
    with sqlite3.connect(ready.path / "run.db") as db:
        assert json.loads(db.execute("SELECT value FROM meta WHERE key = 'config'").fetchone()[0])["recall"] == 0.8
    words = ready.run("label", "zoo.yaml", "items", "--policy", "p.st", "--recall", "0.8", "-o", "words.db").stderr
    assert "expected of static: recall " in words


def test_lanes_change_nothing(ready):
    rows = []
    for lanes in ("1", "3"):
        store = f"lanes{lanes}.db"
        label(ready, "--recall", "0.8", "--lanes", lanes, store=store)
        rows.append(lines_of(ready.run("export", store).stdout, keep_order=True))
    assert rows[0] == rows[1]


def test_another_recall_is_another_run(ready):
    label(ready, "--recall", "0.8", "--limit", "10")
    got = ready.run("label", "zoo.yaml", "items", "--policy", "p.st", "-o", "run.db", "--recall", "0.9")
    assert got.returncode == 1 and "recall" in got.stderr and "--force starts again" in got.stderr
    some = label(ready, "--recall", "0.8")
    assert some["items"] == N_ITEMS and some["items_kept"] == 10
    notes = ready.run("status", "run.db").stdout
    assert some["policy"] == "p.st" and notes
    assert ready.run(*TRAIN, "--force", "--seed", "8").returncode == 0 # the policy has changed
    got = ready.run("label", "zoo.yaml", "items", "--policy", "p.st", "-o", "run.db", "--recall", "0.8")
    assert got.returncode == 1 and "policy" in got.stderr


def test_retry_keeps_the_recall(ready):
    bad = ready.path / "items" / "z.png"
    bad.write_bytes(b"no picture")
    got = ready.run("label", "zoo.yaml", "items", "--policy", "p.st", "--recall", "0.8", "-o", "run.db")
    assert got.returncode == 1
    shutil.copy(next((ready.path / "items").glob("*.png")), bad)
    got = ready.run("retry", "run.db", "--json")
    assert got.returncode == 0, got.stderr
    assert json.loads(got.stdout)["promise"]["method"] == "static"


def test_a_policy_older_than_the_zoo(ready):
    zoo = ready.path / "zoo.yaml"
    text = zoo.read_text()
    zoo.write_text(text.replace("  - name: weather\n", "  - name: climate\n"))
    got = ready.run("label", "zoo.yaml", "items", "--policy", "p.st", "-o", "run.db")
    assert got.returncode == 2 and "found 'climate', which it does not know; train again" in got.stderr
    zoo.write_text(text)
    model = ready.path / "models" / "weather.onnx"
    data = model.read_bytes()
    model.unlink()
    model.write_bytes((ready.path / "models" / "daytime.onnx").read_bytes())
    got = ready.run("label", "zoo.yaml", "items", "--policy", "p.st", "-o", "run.db")
    assert got.returncode == 2 and "model 'weather' has changed since the policy was learned" in got.stderr
    model.write_bytes(data)
    # A model that the policy knows and the zoo does not have is no matter.
    head, *blocks = text.split("  - name: ")
    zoo.write_text(head + "".join("  - name: " + b for b in blocks if not b.startswith("visibility")))
    some = label(ready, "--recall", "0.8")
    assert some["models"] == len(MODELS) - 1
