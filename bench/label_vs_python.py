# SPDX-License-Identifier: Apache-2.0
"""label_vs_python: time outside the runtime's Run, ours beside a plain Python loop's, and items per second of both.
One photograph here, the same one there, in turn.  label_vs_python.py BUILD ZOO MANIFEST RUNTIME [PHOTOS]"""

import json
import pathlib
import statistics
import subprocess
import sys

from python_zoo import Zoo


def line(name, unit, ours, theirs, ratios):
    print(json.dumps({"name": name, "ours": round(statistics.median(ours), 4), "theirs": round(statistics.median(theirs), 4),
                      "peer": "onnxruntime + NumPy + Pillow", "unit": unit, "ratio": round(statistics.median(ratios), 3)}))


def main():
    build, zoo, manifest, runtime = sys.argv[1:5]
    n = int(sys.argv[5]) if len(sys.argv) > 5 else 27
    photos = sorted(pathlib.Path(zoo, "images").glob("*.jpg"))
    photos = photos[:: max(1, len(photos) // n)][:n]  # spread over all sources
    theirs = Zoo(zoo)
    ours = subprocess.Popen([f"{build}/bench/label_loop", manifest, zoo, runtime], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)
    outside, rate = ([], []), ([], [])
    theirs.run(photos[0])  # warm, as our session is
    for photo in photos:
        ours.stdin.write(f"{photo}\n")
        ours.stdin.flush()
        answer = json.loads(ours.stdout.readline())
        _, total, inside = theirs.run(photo)
        outside[0].append((answer["total_us"] - answer["runtime_us"]) / 1000)
        outside[1].append((total - inside) * 1000)
        rate[0].append(1e6 / answer["total_us"])
        rate[1].append(1 / total)
    ours.stdin.close()
    ours.wait()
    line("label_vs_python", "ms outside Run per item", *outside, [t / o for o, t in zip(*outside)])
    line("label_vs_python_rate", "items/s", *rate, [o / t for o, t in zip(*rate)])


main()
