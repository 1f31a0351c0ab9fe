# SPDX-License-Identifier: Apache-2.0
"""C files are as clang-format writes them; `--write` makes them so (`make fmt`)."""
import subprocess
import sys
from pathlib import Path

import house


def check(root):
    paths = [str(path) for path in house.files(root, ".c", ".h")]
    if not paths:
        return
    got = subprocess.run(["clang-format", "--dry-run", "-Werror", *paths], capture_output=True, text=True)
    if got.returncode:
        yield got.stderr.rstrip() + "\nrun `make fmt`"


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        sys.exit(subprocess.run(["clang-format", "-i", *house.files(Path.cwd(), ".c", ".h")]).returncode)
    house.run(check)
