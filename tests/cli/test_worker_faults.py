# SPDX-License-Identifier: Apache-2.0
"""A worker that cannot be started, dies, hangs, or says what it should not costs its model on some items and no more;
`retry` makes up for it."""
import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import demo_data
from conftest import BUILD
from small_zoo import lines_of, write_items, write_zoo

SHIM = BUILD / "tests" / "fault" / "fault_shim.so"
N_ITEMS, TIMEOUT = 12, 60
LABEL = ["label", "zoo.yaml", "items", "-o", "run.db", "--lanes", "1", "--in-flight", "1"]

# Notes what it is asked in the file "seen"; does what the file "habit" says with the request that this names.
WORKER = '''
import hashlib, json, os, pathlib, sys, time
habit, before = pathlib.Path("habit"), "{}"
for line in sys.stdin:
    request = json.loads(line)
    if "fewer" in request:
        print(json.dumps({"ready": 1}), flush=True)
        continue
    name = hashlib.sha1(request["data"].encode()).hexdigest()
    with open("seen", "a") as seen:
        print(name, file=seen)
    answer = json.dumps({"id": request["id"], "output": [int(name[:4], 16), 0.5]})
    odd, of = habit.read_text().split(":") if habit.exists() else ("", "")
    odd = odd if of == name else ""
    if odd == "dies":
        print("no more today", file=sys.stderr)
        sys.exit(7)
    if odd == "is killed":
        os.kill(os.getpid(), 9)
    if odd == "hangs":
        time.sleep(3600)
    if odd == "rubbish":
        answer = "loading ..."
    if odd == "the one before":
        answer = before
    if odd == "twice":
        answer += "\\n" + answer
    before = answer
    print(answer, flush=True)
'''

MODEL = """\
  - name: numbers
    backend: worker
    command: [{python}, worker.py]
    timeout: 500ms
    input: {{size: [8, 8], std: 255}}
    output: {{kind: vector, values: 2}}
"""


class Folder:
    def __init__(self, command, path):
        self.command, self.path, self.habit = command, path, path / "habit"
        path.mkdir()
        zoo = write_zoo(path, ["scene_small", "weather"])
        zoo.write_text(zoo.read_text() + MODEL.format(python=json.dumps(sys.executable)))
        (path / "worker.py").write_text(WORKER)
        write_items(path, demo_data.draw(path.parent / "drawn", N_ITEMS), N_ITEMS)

    def run(self, *args, fault=None):
        env = dict(os.environ)
        if fault:
            env |= {"LD_PRELOAD": str(SHIM), "FEW_FAULT_UNDER": str(self.path), "FEW_FAULT": fault}
        return subprocess.run([str(self.command), *args], cwd=self.path, env=env, capture_output=True, text=True,
                              timeout=TIMEOUT)

    def export(self):
        return lines_of(self.run("export", "run.db").stdout, keep_order=True)


@pytest.fixture(scope="module")
def folder(command, tmp_path_factory):
    folder = Folder(command, tmp_path_factory.mktemp("worker") / "work")
    got = folder.run(*LABEL)
    assert got.returncode == 0, got.stderr
    folder.expected = folder.export()
    folder.asked = (folder.path / "seen").read_text().split()[-N_ITEMS:]  # before that it was measured
    return folder


@pytest.fixture(autouse=True)
def fresh(folder):
    folder.habit.unlink(missing_ok=True)
    for file in folder.path.glob("run.db*"):
        file.unlink()


def others(lines):
    return [line for line in lines if json.loads(line)["model"] != "numbers"]


SAYS = {"dies": "no more today", "is killed": "signal 9", "hangs": "500", "rubbish": "loading ...",
        "the one before": "request", "twice": "numbers"}


@pytest.mark.parametrize("habit", SAYS)
def test_a_worker_that(folder, habit):
    folder.habit.write_text(f"{habit}:{folder.asked[3]}")
    got = folder.run(*LABEL, "--json")
    assert got.returncode == 1 and SAYS[habit] in got.stderr, got.stderr
    said = json.loads(got.stdout)
    assert said["items"] == N_ITEMS and said["items_failed"] == 0
    assert sum(said["counts"].values()) == N_ITEMS * said["models"]
    assert 1 <= said["counts"]["failed"] <= N_ITEMS - 2
    lines = folder.export()
    assert others(lines) == others(folder.expected)
    assert sum('"failed"' in line for line in lines) == said["counts"]["failed"]
    folder.habit.unlink()
    got = folder.run("retry", "run.db")
    assert got.returncode == 0, got.stderr
    assert folder.export() == folder.expected


@pytest.mark.parametrize("fault", ["spawn:1", "spawn:1+"])
def test_a_worker_that_cannot_be_started(folder, fault):
    got = folder.run(*LABEL, fault=fault)
    assert got.returncode == 1 and "numbers" in got.stderr, got.stderr
    got = folder.run(*LABEL)
    if got.returncode == 1:  # items were labelled without it
        got = folder.run("retry", "run.db")
    assert got.returncode == 0, got.stderr
    assert folder.export() == folder.expected


def started(folder):
    """Process numbers of the workers of this folder."""
    found = []
    for entry in os.scandir("/proc"):
        with contextlib.suppress(OSError):
            if entry.name.isdigit() and os.readlink(f"/proc/{entry.name}/cwd") == str(folder.path):
                words = Path(f"/proc/{entry.name}/cmdline").read_bytes()
                found += [int(entry.name)] if b"worker.py" in words else []
    return found


def wait_for(state, what):
    end = time.monotonic() + TIMEOUT
    while not state():
        assert time.monotonic() < end, what
        time.sleep(0.005)


def test_no_worker_is_left(folder):
    """Its input ends with the command, also where that is killed."""
    folder.habit.write_text(f"hangs:{folder.asked[0]}")
    process = subprocess.Popen([str(folder.command), *LABEL], cwd=folder.path, stderr=subprocess.DEVNULL)
    wait_for(lambda: started(folder), "no worker was started")
    process.kill()
    process.wait()
    wait_for(lambda: not started(folder), "a worker is left")
