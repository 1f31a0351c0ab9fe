# SPDX-License-Identifier: Apache-2.0
"""File names are unique, so that "env.c:12" in a log says where. Public headers are a world of their own: they
are read as <fewer/NAME>, and the private half of a noun may have the same name."""
import house

SHARED = {"__init__.py", "conftest.py"}


def check(root):
    seen = {}
    for path in house.files(root, ".c", ".h", ".py", ".sh"):
        relative = path.relative_to(root)
        key = (relative.parts[0] == "include", path.name)
        if path.name in SHARED:
            continue
        if key in seen:
            yield f"{relative}:1: the name is taken by {seen[key]}"
        seen.setdefault(key, relative)


if __name__ == "__main__":
    house.run(check)
