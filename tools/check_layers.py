# SPDX-License-Identifier: Apache-2.0
"""Layers over #include: a room of src/ sees its own headers and those of lower floors; the command and the
examples see the public headers only; a library of one field stays in the rooms of that field."""
import re

import house

FLOOR = {"core": 1, "model": 2, "media": 3, "store": 3, "nn": 3, "backend": 3, "source": 4, "exec": 4, "item": 5,
         "policy": 6, "session": 7, "eval": 7, "export": 7, "report": 7, "train": 7}
OUTSIDE = ("cli", "examples")
LIBC = set("""assert ctype errno inttypes limits locale math signal stdarg stdbool stddef stdint stdio stdlib
    string strings time dirent fcntl glob libgen poll pthread termios unistd sys/ioctl sys/resource sys/stat
    sys/time sys/types sys/wait""".split())
FIELD = {"sqlite3": {"store"}, "libfyaml": {"model"}, "libheif/": {"media"}, "jpeglib": {"media"}, "jerror": {"media"},
         "libavcodec/": {"media", "source"}, "libavformat/": {"source"}, "libswscale/": {"media"}, "libswresample/": {"media"},
         "libavutil/": {"media", "source", "core"},
         "dlfcn": {"backend"}}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.M)


def inside(where, form, name):
    """Why a file of src/ may not include this, or None."""
    if form == "<":
        for prefix, rooms in FIELD.items():
            if name.startswith(prefix) and where not in rooms:
                return f"{name} belongs to {' and '.join(sorted(rooms))}"
        return None
    if "/" not in name:
        return f'expected "ROOM/{name}"'
    other = name.split("/")[0]
    if other not in FLOOR:
        return f"{other} is no room"
    if other != where and FLOOR[other] >= FLOOR[where]:
        return f"{where} (floor {FLOOR[where]}) may not see {other} (floor {FLOOR[other]})"
    return None


def outside(path, form, name):
    """The same for a file of cli/ or examples/."""
    if form == '"':
        own = (path.parent / name).exists() or (path.parent.parent / name).exists()
        return None if own and not name.startswith("..") else "only its own headers and <fewer/...>"
    allowed = name.startswith("fewer/") or name == "jansson.h" or name.removesuffix(".h") in LIBC
    return None if allowed else "only <fewer/...>, jansson and libc"


def check(root):
    for path in house.files(root, ".c", ".h"):
        where = house.room(root, path)
        top = path.relative_to(root).parts[0]
        if top not in ("src", *OUTSIDE):
            continue
        if top == "src" and where not in FLOOR:
            yield f"{path.relative_to(root)}:1: {where} has no floor in tools/check_layers.py"
            continue
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            form, name = match.groups()
            why = inside(where, form, name) if top == "src" else outside(path, form, name)
            if why:
                line = text.count("\n", 0, match.start(1)) + 1
                yield f"{path.relative_to(root)}:{line}: includes {name}: {why}"


if __name__ == "__main__":
    house.run(check)
