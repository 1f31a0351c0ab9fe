# SPDX-License-Identifier: Apache-2.0
"""run_fuzz.py BUILD [TARGET...] -- OPTION...: every target (or those named) with libFuzzer for FUZZ_SECONDS (60) each.

Builds with clang and the address and undefined-behaviour sanitizers in BUILD/fuzz. A run starts from the committed corpus
and from what earlier runs found (BUILD/fuzz/found/TARGET, which grows). What crashes, hangs or leaks is kept in
BUILD/fuzz/crashes/TARGET; the exit status is then 1. Make it small with the command that is printed, fix the cause, and
commit the input to fuzz/corpus/TARGET as found_WORDS: it is a test from then on."""
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMITS = ["-timeout=20", "-rss_limit_mb=4096", "-max_len=65536", "-print_final_stats=1", "-detect_leaks=1"]
FAST = "/dev/shm"  # targets write small files all the time


def build_targets(build, options):
    setup = [ROOT / "tools" / "configure.sh", build, *options, "-Dwerror=false", "-Dfuzz=true", "-Dtests=false",
             "-Dbench=false", "-Db_sanitize=address,undefined", "-Db_lundef=false"]
    for command in (setup, ["ninja", "-C", build, "--quiet"]):
        if subprocess.run(command, env=os.environ | {"CC": "clang-14"}, cwd=ROOT).returncode:
            sys.exit("the fuzz targets could not be built; clang and its runtime are needed: ./run fuzz installs them")


def environment(folder):
    suppressions = f"suppressions={ROOT / 'fuzz' / 'lsan.supp'}"
    return os.environ | {"TMPDIR": folder, "LSAN_OPTIONS": f"print_suppressions=0:{suppressions}",
                         "ASAN_OPTIONS": "allocator_may_return_null=1:detect_stack_use_after_return=0",
                         "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"}


def fuzz(build, target, seconds):
    """Whether nothing was found."""
    found, crashes = build / "found" / target, build / "crashes" / target
    for folder in (found, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    program, words = build / "fuzz" / target, ROOT / "fuzz" / "words" / f"{target}.txt"
    command = [program, f"-max_total_time={seconds}", f"-artifact_prefix={crashes}/", *LIMITS,
               *([f"-dict={words}"] if words.exists() else []), found, ROOT / "fuzz" / "corpus" / target]
    log, before, start = build / f"{target}.log", set(crashes.iterdir()), time.monotonic()
    with tempfile.TemporaryDirectory(dir=FAST if os.access(FAST, os.W_OK) else None) as folder, log.open("wb") as out:
        status = subprocess.run(command, stdout=out, stderr=out, env=environment(folder)).returncode
    text = log.read_text(errors="replace")
    runs = re.search(r"number_of_executed_units: (\d+)", text)
    print(f"{target}: {runs[1] if runs else '?'} inputs in {time.monotonic() - start:.0f} s, "
          f"{'nothing found' if status == 0 else 'FAILED'}", flush=True)
    new = sorted(path for path in set(crashes.iterdir()) - before if not path.name.startswith("slow-unit"))
    if status or new:
        print("\n".join(text.splitlines()[-40:]))
    for path in new:
        print(f"kept {path}; smaller: {program} -minimize_crash=1 -runs=20000 {path}")
    return status == 0 and not new


def main():
    split = sys.argv.index("--")
    build, targets = Path(sys.argv[1]).resolve() / "fuzz", sys.argv[2:split]
    build_targets(build, sys.argv[split + 1:])
    targets = targets or sorted(path.name for path in (ROOT / "fuzz" / "corpus").iterdir())
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    results = [fuzz(build, target, seconds) for target in targets]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
