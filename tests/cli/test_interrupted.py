# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C and kill -9 in the middle: the store opens and holds whole items, the first ones, and nothing else."""
import contextlib
import random
import signal
import sqlite3
import subprocess
import time

import pytest

import demo_data
from demo_data import MODELS, ZOO, rows_of

N_ITEMS, KILLS = 3000, 30


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    top = tmp_path_factory.mktemp("many")
    return demo_data.many(top / "items", N_ITEMS, demo_data.draw(top / "scenes", 6))


def start(command, verb, many, cwd):
    return subprocess.Popen([str(command), verb, str(ZOO), str(many[0].parent), "-o", "run.db", "--force"], cwd=cwd,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for_store(process, store):
    """Until the first items are in it: their transaction makes the log grow."""
    log = store.with_name(store.name + "-wal")
    while process.poll() is None and not (log.exists() and log.stat().st_size > 100_000):
        time.sleep(0.005)
    assert process.poll() is None


def whole_items(fewer, many, store):
    rows = rows_of(fewer, store)
    assert [row["item"] for row in rows[::len(MODELS)]] == [str(path) for path in many[:len(rows) // len(MODELS)]]
    return len(rows) // len(MODELS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["label", "record"])
def test_interrupted(fewer, command, many, tmp_path, verb, number):
    process = start(command, verb, many, tmp_path)
    wait_for_store(process, tmp_path / "run.db")
    process.send_signal(number)
    words = process.communicate(timeout=60)[1]
    assert process.returncode == 130, words
    done = int(words.split("interrupted after ")[1].split()[0])
    assert 0 < done < N_ITEMS
    assert whole_items(fewer, many, "run.db") == done
    assert not (tmp_path / "run.db-wal").exists()


def has_tables(store):
    with contextlib.closing(sqlite3.connect(store)) as db:
        return db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0


def test_killed_at_any_moment(fewer, command, many, tmp_path):
    """Killed in the millisecond in which the file is made, it is an empty file."""
    moments, kept = random.Random(2026), []
    for _ in range(KILLS):
        process = start(command, moments.choice(["label", "record"]), many, tmp_path)
        time.sleep(moments.uniform(0.1, 1.2))
        assert process.poll() is None
        process.kill()
        process.communicate()
        if (tmp_path / "run.db").exists() and has_tables(tmp_path / "run.db"):
            kept.append(whole_items(fewer, many, "run.db"))
    assert len(kept) > KILLS / 2 and max(kept) > 0
