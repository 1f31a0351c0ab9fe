# SPDX-License-Identifier: Apache-2.0
"""run.py BUILD [NAME...]: run the benchmarks (all, or those named), print a table, write BUILD/bench.json.

A benchmark is a command that prints one JSON object a line: name, ours, theirs, peer, unit, ratio (above 1: we are
better by that factor) and, against a fixed bound, calib_ns. It interleaves the two sides and takes medians itself."""
import glob
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ZOO = Path(os.environ.get("FEW_TEST_ZOO", ROOT / "../shared/zoo"))
PHOTO_ZOO = "examples/photo-zoo/zoo.yaml"

# name: (command, needs the real zoo, needs the peers of bench/peers.txt)
BENCHES = {
    "decide_30": ("{build}/bench/decide 30", False, False),
    "decide_1000": ("{build}/bench/decide 1000", False, False),
    "decide_pack": ("{build}/bench/decide pack", False, False),
    "product_vs_openblas": ("env OPENBLAS_NUM_THREADS=1 {build}/bench/product", False, False),
    "q_decision_vs_torch": ("/usr/bin/python3 bench/dqn_vs_torch.py {build} decide", False, False),
    "dqn_train_vs_torch": ("/usr/bin/python3 bench/dqn_vs_torch.py {build} train", False, False),
    "pack_vs_faithful": (f"{{build}}/bench/pack_vs_faithful {PHOTO_ZOO} {{zoo}} {{zoo}}/trace.jsonl.gz {{build}}", True, False),
    "label_overhead": (f"{{build}}/bench/label_overhead {PHOTO_ZOO} {{zoo}} {{zoo}}/images {{runtime}}", True, False),
    "label_two_lanes": (f"{{build}}/bench/label_two_lanes {PHOTO_ZOO} {{zoo}} {{zoo}}/images {{runtime}}", True, False),
    "label_memory": (f"{{python}} bench/label_memory.py {{build}} {PHOTO_ZOO} {{zoo}} {{zoo}}/images {{runtime}}", True, False),
    "video_decode": ("{python} bench/video_decode.py {build} {zoo} {runtime}", False, False),
    "label_vs_python": (f"{{peers}} bench/label_vs_python.py {{build}} {{zoo}} {PHOTO_ZOO} {{runtime}}", True, True),
}
COLUMNS = ("name", "ours", "theirs", "ratio", "unit", "peer")


def peers_python(build):
    """The interpreter of build/bench-venv, made when it is missing or bench/peers.txt has changed."""
    venv, wanted = build / "bench-venv", ROOT / "bench" / "peers.txt"
    python, stamp = venv / "bin" / "python", venv / "installed.txt"
    if not stamp.exists() or stamp.read_text() != wanted.read_text():
        print(f"Installing peers into {os.path.relpath(venv, ROOT)}", flush=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", "--clear", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted],
                       check=True)
        shutil.copy(wanted, stamp)
    return python


def runtime():
    pattern = ROOT / ".venv/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.1.*"
    found = sorted(glob.glob(str(pattern)))
    return os.environ.get("FEW_TEST_RUNTIME") or (found[-1] if found else "")


def run_bench(name, build):
    """The objects it printed, or None (and why, printed)."""
    command, _, needs_peers = BENCHES[name]
    python = peers_python(build) if needs_peers else ""
    words = command.format(build=build, zoo=ZOO, runtime=runtime(), peers=python, python=sys.executable).split()
    try:
        got = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
        lines = [json.loads(line) for line in got.stdout.splitlines() if line.startswith("{")]
        why = got.stderr.strip() or f"exit status {got.returncode}"
    except (OSError, json.JSONDecodeError) as error:
        got, lines, why = None, [], str(error)
    if got is None or got.returncode or not lines:
        print(f"{name}: failed: {why}", flush=True)
        return None
    return lines


def print_table(results):
    def text(value):
        return f"{value:.4g}" if isinstance(value, float) else str(value)
    rows = [COLUMNS] + [tuple(text(result.get(key, "")) for key in COLUMNS) for result in results]
    widths = [max(len(row[i]) for row in rows) for i in range(len(COLUMNS))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def main():
    build, names = Path(sys.argv[1]).resolve(), sys.argv[2:] or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        sys.exit(f"run.py: {unknown[0]}: expected {', '.join(BENCHES)}")
    results, failed = [], False
    for name in names:
        if BENCHES[name][1] and not ZOO.exists():
            print(f"{name}: skipped, the real zoo is not at {ZOO}")
            continue
        print(f"{name} ...", flush=True)
        lines = run_bench(name, build)
        failed |= lines is None
        results += lines or []
    (build / "bench.json").write_text(json.dumps(results, indent=1) + "\n")
    print_table(results)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
