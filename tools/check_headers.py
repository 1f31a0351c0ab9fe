# SPDX-License-Identifier: Apache-2.0
"""Every public header compiles alone, as C17 and as C++17, without a warning."""
import subprocess

import house

LANGUAGES = (("gcc", "c", "c17"), ("g++", "c++", "c++17"))


def check(root):
    for path in sorted((root / "include" / "fewer").glob("*.h")):
        for compiler, language, standard in LANGUAGES:
            command = [compiler, "-x", language, f"-std={standard}", "-pedantic", "-Wall", "-Wextra", "-Werror",
                       "-fsyntax-only", f"-I{root / 'include'}", "-"]
            text = f"#include <fewer/{path.name}>\ntypedef int alone;\n"  # C has no empty file
            got = subprocess.run(command, input=text, capture_output=True, text=True)
            if got.returncode:
                yield f"{path.relative_to(root)}:1: not {standard} alone:\n{got.stderr.rstrip()}"


if __name__ == "__main__":
    house.run(check)
