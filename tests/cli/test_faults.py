# SPDX-License-Identifier: Apache-2.0
"""The Nth call of one kind fails (tests/fault/fault_shim.c), for every N: the command ends with 0 or 1, says what was wrong
when it is 1, and the same command without faults then comes to what an undisturbed run comes to."""
import os
import resource
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

import demo_data
from conftest import BUILD
from small_zoo import first_difference, lines_of, place, write_items, write_zoo

SHIM = BUILD / "tests" / "fault" / "fault_shim.so"
KINDS = ["open", "read", "write", "sync", "truncate", "thread", "malloc"]
N_ITEMS, AT_ONCE, TIMEOUT = 6, 2, 60

if not SHIM.is_file():
    pytest.skip(f"no {SHIM.name}: build first", allow_module_level=True)


class Bench:
    """A folder with zoo and items, copied for each case, and how to run the command in it."""

    def __init__(self, command, top):
        self.command, self.top, self.cases = command, top, 0
        self.model = top / "model"
        self.model.mkdir()
        write_zoo(self.model)
        write_items(self.model, demo_data.draw(top / "drawn", N_ITEMS), N_ITEMS)
        (self.model / "outputs.jsonl").write_text("".join(
            f'{{"image": "i{i}", "models": {{"tags": {{"labels": [{", ".join(["0.75"] * 7)}]}}}}}}\n' for i in range(200)))
        self.resumes = "\n  retry" in self.run(top, "--help").stdout
        self.expected, self.usual = {}, {}

    def folder(self, name):
        self.cases += 1
        folder = self.top / f"{self.cases}-{name}"
        for file in self.model.rglob("*"):
            if file.is_file():
                to = folder / file.relative_to(self.model)
                to.parent.mkdir(parents=True, exist_ok=True)
                place(file, to)
        return folder

    def run(self, cwd, *args, fault=None, limit=None):
        env = dict(os.environ)
        if fault:
            env |= {"LD_PRELOAD": str(SHIM), "FEW_FAULT_UNDER": str(cwd), "FEW_FAULT_LOG": str(self.log(cwd))}
            env["FEW_FAULT"] = fault
        setup = (lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))) if limit else None
        return subprocess.run([str(self.command), *args], cwd=cwd, env=env, capture_output=True, text=True,
                              timeout=TIMEOUT, preexec_fn=setup)

    def log(self, cwd):
        return cwd.with_name(cwd.name + ".log")

    def calls(self, cwd):
        """{kind: (calls, those that failed)} of the last run with a fault that came to its end."""
        rows = [line.split() for line in self.log(cwd).read_text().splitlines()]
        return {kind: (int(n), int(failed)) for kind, n, failed in rows}


@pytest.fixture(scope="module")
def bench(command, tmp_path_factory):
    return Bench(command, tmp_path_factory.mktemp("faults"))


VERBS = {"label": (["label", "zoo.yaml", "items", "-o", "run.db"], "run.db"),
         "import": (["import", "outputs.jsonl", "--zoo", "zoo.yaml", "-o", "trace.db"], "trace.db")}


def undisturbed(bench, verb):
    """Calls of each kind of a run without a fault; what it exports is kept."""
    if verb in bench.usual:
        return bench.usual[verb]
    cwd = bench.folder(f"{verb}-undisturbed")
    args, store = VERBS[verb]
    got = bench.run(cwd, *args, fault="open:1000000000")
    assert got.returncode == 0, got.stderr
    bench.expected[verb] = lines_of(bench.run(cwd, "export", store).stdout)
    bench.usual[verb] = {kind: calls for kind, (calls, _) in bench.calls(cwd).items()}
    return bench.usual[verb]


def ended_well(got, fault):
    """Ended by itself with 0 or 1; with 1 it says why, in our words."""
    assert got.returncode in (0, 1), f"{fault}: ended with {got.returncode}: {got.stderr[-2000:]}"
    if got.returncode == 1:
        assert got.stderr.strip(), f"{fault}: ended with 1 and said nothing"
        assert "terminate called" not in got.stderr and "Assertion" not in got.stderr, got.stderr


def finish(bench, cwd, verb):
    """The same command once more, without faults; with items that failed, these again."""
    args, store = VERBS[verb]
    go_on = bench.resumes and verb == "label"
    if not go_on and (cwd / store).exists():
        args = [*args, "--force"]
    got = bench.run(cwd, *args)
    if go_on and got.returncode == 1:
        got = bench.run(cwd, "retry", store)
    return got


def disturb(bench, verb, fault):
    """One case; the words for what went wrong, or None."""
    name = f"{verb}-{fault}".replace(":", "-").replace("+", "on")
    cwd = bench.folder(name)
    args, store = VERBS[verb]
    got = bench.run(cwd, *args, fault=fault)
    ended_well(got, fault)
    if got.returncode == 1:
        if verb == "import":
            assert not list(cwd.glob("trace.db*")), f"{fault}: left {list(cwd.glob('trace.db*'))}"
        again = finish(bench, cwd, verb)
        assert again.returncode == 0, f"{fault}, then again: {again.stderr}\n(before: {got.stderr})"
    lines = lines_of(bench.run(cwd, "export", store).stdout)
    different = first_difference(bench.expected[verb], lines)
    assert not different, f"{fault}: {different}\n(it had said: {got.returncode}: {got.stderr})"
    return got.returncode


def disturb_all(bench, verb, faults):
    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = list(pool.map(lambda fault: disturb(bench, verb, fault), faults))
    assert 1 in statuses, f"no fault of {faults[0]} ... {faults[-1]} was noticed"


def geometric(n):
    """1, 2, 3, 4, 6, 9 ... n; of more than 1,000: 1, 2, 4, 8 ... n"""
    found, i = [], 1
    while i < n:
        found.append(i)
        i = i * 2 if n > 1000 else max(i + 1, i * 3 // 2)
    return [*found, n]


@pytest.mark.parametrize("kind", KINDS)
def test_label_with_the_nth_call_failing(bench, kind):
    calls = undisturbed(bench, "label")[kind]
    disturb_all(bench, "label", [f"{kind}:{n}" for n in geometric(calls)])


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_label_with_any_call_failing(bench, kind):
    calls = undisturbed(bench, "label")[kind]
    disturb_all(bench, "label", [f"{kind}:{n}" for n in range(1, calls + 1)])


@pytest.mark.parametrize("kind", ["open", "read", "write", "sync"])
def test_import_with_the_nth_call_failing(bench, kind):
    calls = undisturbed(bench, "import")[kind]
    disturb_all(bench, "import", [f"{kind}:{n}" for n in geometric(calls)])


@pytest.mark.parametrize("error", ["ENOSPC", "EIO"])
def test_a_disk_that_stays_full(bench, error):
    calls = undisturbed(bench, "label")["write"]
    disturb_all(bench, "label", [f"write:{n}+:{error}" for n in geometric(calls)[::2]])


@pytest.mark.parametrize("kind", ["read", "write"])
def test_interrupted_calls_are_made_again(bench, kind):
    """EINTR is no failure."""
    calls = undisturbed(bench, "label")[kind]
    for n in geometric(calls)[::4]:
        assert disturb(bench, "label", f"{kind}:{n}:EINTR") == 0


@pytest.mark.parametrize("limit", [4096, 40_000, 100_000])
def test_files_may_not_grow(bench, limit):
    cwd = bench.folder(f"limit-{limit}")
    undisturbed(bench, "label")
    got = bench.run(cwd, *VERBS["label"][0], limit=limit)
    assert got.returncode == 1 and "run.db" in got.stderr, f"{got.returncode}: {got.stderr}"
    assert finish(bench, cwd, "label").returncode == 0
    assert not first_difference(bench.expected["label"], lines_of(bench.run(cwd, "export", "run.db").stdout))
