# SPDX-License-Identifier: Apache-2.0
"""label_memory: peak memory of a session that runs everything, beside the bare loop's, each in a process of its own.
At most 60 MiB more is wanted.  label_memory.py BUILD MANIFEST ROOT IMAGES RUNTIME [ITEMS]"""

import json
import subprocess
import sys


def peak(build, mode, rest):
    return float(subprocess.run([f"{build}/bench/label_overhead", mode, *rest], check=True, capture_output=True, text=True).stdout)


def main():
    build, rest = sys.argv[1], [*sys.argv[2:], "30"][:5]
    ours, theirs = peak(build, "--memory-session", rest), peak(build, "--memory-bare", rest)
    print(json.dumps({"name": "label_memory", "ours": ours, "theirs": theirs, "peer": "bare loop", "unit": "MiB at most",
                      "ratio": round(theirs / ours, 3)}))


main()
