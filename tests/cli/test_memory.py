# SPDX-License-Identifier: Apache-2.0
"""The peak of memory does not grow with the number of items."""
import os

import pytest

import demo_data
from demo_data import ZOO

MIB = 1024  # of the KiB that the kernel counts


def peak(command, folder, cwd, name):
    """Peak resident memory of one run in KiB."""
    null = os.open(os.devnull, os.O_WRONLY)
    args = [str(command), "label", str(ZOO), str(folder), "-o", str(cwd / name), "--deadline", "10s", "-q"]
    child = os.posix_spawn(args[0], args, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, null, 2)])
    _, status, usage = os.wait4(child, 0)
    os.close(null)
    assert os.waitstatus_to_exitcode(status) == 0
    return usage.ru_maxrss


@pytest.mark.parametrize("count", [2000, pytest.param(10_000, marks=pytest.mark.long)])
def test_peak_of_many_items(command, tmp_path, count):
    scenes = demo_data.draw(tmp_path / "scenes", 60)
    few, many = tmp_path / "few", tmp_path / "many"
    demo_data.many(few, 100, scenes)
    demo_data.many(many, count, scenes)
    peaks = {folder: peak(command, folder, tmp_path, f"{folder.name}.db") for folder in (few, many)}
    print(f"100 items: {peaks[few] / MIB:.1f} MiB, {count} items: {peaks[many] / MIB:.1f} MiB")
    assert peaks[many] - peaks[few] < 4 * MIB
