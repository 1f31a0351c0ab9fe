# SPDX-License-Identifier: Apache-2.0
"""What `make install` puts in place is enough for a program: the example is built with pkg-config against it, and
labels a folder with the demo zoo."""
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PENDING = ROOT / "tools" / "symbols_pending.txt"


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, **more)


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """(folder of the prefix, environment that finds it)"""
    top = tmp_path_factory.mktemp("installed")
    got = run("make", "install", f"DESTDIR={top}", cwd=ROOT)
    assert got.returncode == 0, got.stdout + got.stderr
    prefix = next(top.rglob("fewer.pc")).parents[2]
    env = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig"), "PKG_CONFIG_SYSROOT_DIR": str(top),
           "LD_LIBRARY_PATH": str(prefix / "lib")}
    return prefix, env


def flags(env, *options):
    return subprocess.run(["pkg-config", *options, "fewer"], env=env, check=True, capture_output=True,
                          text=True).stdout.split()


@pytest.fixture(scope="module")
def program(installed, tmp_path_factory):
    prefix, env = installed
    object_file = tmp_path_factory.mktemp("example") / "label_folder.o"
    got = run("gcc", "-std=c17", "-Wall", "-Wextra", "-Werror", *flags(env, "--cflags"), "-c", "-o", object_file,
              ROOT / "examples" / "c" / "label_folder.c")
    assert got.returncode == 0, got.stderr
    if PENDING.exists():
        pytest.skip("parts of the library are not written yet (tools/symbols_pending.txt)")
    path = object_file.with_suffix("")
    got = run("gcc", "-o", path, object_file, *flags(env, "--libs"), "-lm")
    assert got.returncode == 0, got.stderr
    return path


def test_what_is_installed(installed):
    prefix, env = installed
    headers = {path.name for path in (ROOT / "include" / "fewer").glob("*.h")}
    assert {path.name for path in (prefix / "include" / "fewer").iterdir()} == headers
    assert (prefix / "lib" / "libfewer.so").resolve().name == "libfewer.so.0.1.0"
    assert (prefix / "share" / "man" / "man1" / "fewer.1").stat().st_size > 0
    assert flags(env, "--modversion") == ["0.1.0"]
    assert "-lfewer" in flags(env, "--libs")


def test_command_is_installed(installed):
    if PENDING.exists():
        pytest.skip("parts of the library are not written yet (tools/symbols_pending.txt)")
    prefix, env = installed
    got = run(prefix / "bin" / "fewer", "--version", env=env)
    assert got.returncode == 0, got.stderr
    assert "0.1.0" in got.stdout


def test_example_wants_arguments(program, installed):
    got = run(program, env=installed[1])
    assert got.returncode == 2
    assert got.stderr.startswith("usage: label_folder")


def test_example_says_what_is_wrong(program, installed, tmp_path):
    got = run(program, tmp_path / "none.yaml", tmp_path, env=installed[1])
    assert got.returncode == 1
    assert "none.yaml" in got.stderr


def test_example_labels_the_demo(program, installed, tmp_path):
    """Every item gets its line in order, and most of them a label."""
    got = run(sys.executable, ROOT / "demo" / "draw.py", tmp_path, "20")
    assert got.returncode == 0, got.stdout + got.stderr
    got = run(program, ROOT / "demo" / "zoo.yaml", tmp_path, env=installed[1])
    assert got.returncode == 0, got.stderr
    lines = got.stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [str(path) for path in sorted(tmp_path.iterdir())]
    assert sum(line.split(":", 1)[1].strip() != "" for line in lines) > 10


def test_man_page_knows_every_option(installed):
    """The page and the command's own help name the same verbs and options."""
    if PENDING.exists():
        pytest.skip("parts of the library are not written yet (tools/symbols_pending.txt)")
    prefix, env = installed
    page = (prefix / "share" / "man" / "man1" / "fewer.1").read_text().replace("\\-", "-")
    verbs = re.findall(r"^\.BI (\w+) \"", page[page.index(".SH VERBS"):page.index(".SH OPTIONS")], re.M)
    shown = {"--help", "--version"}
    for verb in verbs:
        got = run(prefix / "bin" / "fewer", verb, "--help", env=env)
        assert got.returncode == 0, got.stderr
        shown |= set(re.findall(r"^ +(?:-\w, )?(--[\w-]+)", got.stdout, re.M))
    assert set(re.findall(r"--[a-z][\w-]*", page)) == shown
    summary = run(prefix / "bin" / "fewer", "--help", env=env).stdout
    assert [verb for verb in verbs if not re.search(rf"\b{verb}\b", summary)] == []
