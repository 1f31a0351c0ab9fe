# SPDX-License-Identifier: Apache-2.0
"""tools/run_tests.py counts what ran, and nothing that fails gets lost in the sum."""
import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
import run_tests  # noqa: E402

PASSED = "[  PASSED  ] 3 test(s).\n"
FAILED = "[  PASSED  ] 2 test(s).\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] test_a\n"
SKIPPED = "[  PASSED  ] 2 test(s).\n[  SKIPPED ] 1 test(s), listed below:\n[  SKIPPED ] test_b\n"


@pytest.mark.parametrize("result, stderr, expected", [
    ("OK", PASSED, {"passed": 3}),
    ("OK", PASSED + PASSED, {"passed": 6}),
    ("OK", SKIPPED, {"passed": 2, "skipped": 1}),
    ("OK", "", {"passed": 1}),
    ("SKIP", "", {"skipped": 1}),
    ("FAIL", FAILED, {"passed": 2, "failed": 1}),
    ("FAIL", "", {"failed": 1}),
    ("FAIL", PASSED, {"failed": 1}),  # a leak reported after the last test
    ("TIMEOUT", "", {"failed": 1}),
    ("ERROR", "", {"failed": 1}),
])
def test_count(result, stderr, expected):
    total = run_tests.Sum()
    entry = {"name": "fewer:unit / test_x", "result": result, "stdout": "", "stderr": stderr}
    assert run_tests.count_entry(entry, total) == Counter(expected)
    assert any("test_b" in name for name in total.skipped) == ("test_b" in stderr)


@pytest.mark.parametrize("counts, line, status", [
    ({"passed": 5}, "5 passed, 0 failed", 0),
    ({"passed": 5, "skipped": 2}, "5 passed, 0 failed, 2 skipped", 0),
    ({"passed": 5, "failed": 1}, "5 passed, 1 failed", 1),
    ({}, "0 passed, 0 failed", 1),
])
def test_closing_line(capsys, counts, line, status):
    total = run_tests.Sum()
    total.counts = Counter(counts)
    assert total.close() == status
    assert capsys.readouterr().out.splitlines()[-1] == line
