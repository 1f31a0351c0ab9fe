# SPDX-License-Identifier: Apache-2.0
"""run_tests.py BUILD [--long] -- OPTION...: every test, a line a step, and at the end the sum.

1. C suites and shape checks in BUILD.  2. C suites again with the address and undefined-behaviour sanitizers in
BUILD/asan, set up with the options.  3. Those with threads again with the thread sanitizer in BUILD/tsan.  4. Python
tests. Suites: "long" runs with --long alone (and nothing else does then); "zoo" (real models, slow under sanitizers),
"bench" and "shape" are not run twice; "threads" has what the thread sanitizer looks at."""
import json
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WITHOUT = [word for suite in ("long", "zoo", "bench", "shape") for word in ("--no-suite", suite)]
SANITIZERS = [  # words, folder, Meson's name, arguments of the test run
    ("C tests with sanitizers", "asan", "address,undefined", ["-t", "4", *WITHOUT]),
    ("C tests with threads", "tsan", "thread", ["-t", "4", "--suite", "threads"]),
]
CMOCKA = re.compile(r"^\[  (PASSED|FAILED|SKIPPED) *\] (\d+) test\(s\)", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \] (\w+)$", re.M)
PASSING = re.compile(r"^ *\d+/\d+ .* OK .*\n", re.M)
VERDICT = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


class Sum:
    def __init__(self):
        self.counts = Counter()
        self.skipped = set()

    def step(self, words, counts, seconds):
        shown = ", ".join(f"{counts[key]} {key}" for key in ("passed", "failed", "skipped") if counts[key])
        print(f"{words}: {shown or 'nothing to do'} ({seconds:.0f} s)", flush=True)
        self.counts += counts

    def close(self):
        for name in sorted(self.skipped):
            print(f"skipped: {name}")
        passed, failed, skipped = (self.counts[key] for key in ("passed", "failed", "skipped"))
        print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
        return 1 if failed or not passed else 0


def count_entry(entry, total):
    """One test program of Meson's log: the tests that cmocka counted in it, or itself."""
    text = entry.get("stdout", "") + "\n" + entry.get("stderr", "")
    verdict = VERDICT.get(entry["result"], "failed")
    found = Counter()
    for word, number in CMOCKA.findall(text):
        found[word.lower()] += int(number)
    if verdict == "failed" and not found["failed"]:
        found = Counter(failed=1)  # it crashed, hung, or a sanitizer spoke after the last test
    total.skipped |= {f"{entry['name']}: {name}" for name in CMOCKA_SKIPPED.findall(text)}
    if verdict == "skipped":
        total.skipped.add(entry["name"])
    return found or Counter({verdict: 1})


def meson_test(words, build, arguments, total):
    start, counts = time.monotonic(), Counter()
    log = build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    got = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--print-errorlogs", *arguments],
                         capture_output=True, text=True)
    for line in log.read_text().splitlines() if log.exists() else []:
        counts += count_entry(json.loads(line), total)
    if got.returncode and not counts["failed"]:
        counts["failed"] += 1
    if counts["failed"]:
        print(PASSING.sub("", got.stdout) + got.stderr)
    total.step(words, counts, time.monotonic() - start)


def sanitized(build, options, sanitizer):
    """Set up and build with a sanitizer; false (and the reason printed) when that fails."""
    setup = [ROOT / "tools" / "configure.sh", build, *options, f"-Db_sanitize={sanitizer}", "-Db_lundef=false",
             "-Dbench=false"]
    return all(subprocess.run(command).returncode == 0 for command in (setup, ["ninja", "-C", build, "--quiet"]))


def python_tests(build, marker, total):
    start, report = time.monotonic(), build / "pytest.xml"
    report.unlink(missing_ok=True)
    got = subprocess.run([sys.executable, "-m", "pytest", "-q", "-m", marker, f"--junitxml={report}", "tests"],
                         capture_output=True, text=True, cwd=ROOT)
    counts = Counter()
    for case in ElementTree.parse(report).iter("testcase") if report.exists() else []:
        outcome = {child.tag for child in case}
        verdict = "failed" if outcome & {"failure", "error"} else "skipped" if "skipped" in outcome else "passed"
        counts[verdict] += 1
        if verdict == "skipped":
            total.skipped.add(f"{case.get('name')}: {case.find('skipped').get('message')}")
    if got.returncode not in (0, 5) and not counts["failed"]:  # 5: nothing was collected
        counts["failed"] += 1
    if counts["failed"]:
        print(got.stdout + got.stderr)
    total.step("Python tests", counts, time.monotonic() - start)


def main():
    split = sys.argv.index("--")
    arguments, options = sys.argv[1:split], sys.argv[split + 1:]
    build, long = Path(arguments[0]).resolve(), "--long" in arguments
    os.environ |= {"FEW_TEST_SOURCE": str(ROOT), "FEW_TEST_BUILD": str(build), "PYTHONDONTWRITEBYTECODE": "1",
                   "ORT_DISABLE_TELEMETRY": "1",
                   "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}
    total = Sum()
    if long:
        meson_test("C tests (long)", build, ["--suite", "long", "-t", "10"], total)
        python_tests(build, "long", total)
        return total.close()
    meson_test("C tests and shape checks", build, ["--no-suite", "long", "--no-suite", "bench"], total)
    for words, folder, sanitizer, chosen in SANITIZERS:
        if sanitized(build / folder, options, sanitizer):
            meson_test(words, build / folder, chosen, total)
        else:
            total.counts["failed"] += 1
    python_tests(build, "not long", total)
    return total.close()


if __name__ == "__main__":
    sys.exit(main())
