# SPDX-License-Identifier: Apache-2.0
"""The first line of every source file (the second after "#!") names the licence."""
import house

LICENCE = "SPDX-License-Identifier: Apache-2.0"


def check(root):
    scripts = [path for path in (root / "run", root / ".ci" / "run") if path.exists()]
    for path in [*house.files(root, ".c", ".h", ".py", ".sh", ".ts"), *scripts]:
        lines = path.read_text().splitlines() or [""]
        first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
        mark = "//" if path.suffix in (".c", ".h", ".ts") else "#"
        if first != f"{mark} {LICENCE}":
            yield f'{path.relative_to(root)}:1: expected "{mark} {LICENCE}"'


if __name__ == "__main__":
    house.run(check)
