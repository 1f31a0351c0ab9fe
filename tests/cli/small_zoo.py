# SPDX-License-Identifier: Apache-2.0
"""A folder with a few models of the demo, items drawn for it, and what a run over them says, times aside."""
import json
import os
import re

import demo_data

# A whole picture, a chain whose need finds nothing on some items, a vector, a scalar: 0.1 s for six items.
MODELS = ["scene_small", "weather", "daytime", "visibility", "tags", "face_det", "expression"]


def write_zoo(folder, models=MODELS):
    """zoo.yaml of the demo with these models alone, and their files beside it."""
    head, *blocks = re.split(r"^(?=  - name: )", demo_data.ZOO.read_text(), flags=re.M)
    found = {block.split()[2]: block for block in blocks}
    (folder / "zoo.yaml").write_text(head + "".join(found[name] for name in models))
    (folder / "models").mkdir()
    for name in models:
        place(demo_data.DEMO / "models" / f"{name}.onnx", folder / "models" / f"{name}.onnx")
    return folder / "zoo.yaml"


def place(file, name):
    """A copy that takes no room where the folders are on one disk."""
    try:
        os.link(file, name)
    except OSError:
        name.write_bytes(file.read_bytes())


def write_items(folder, drawn, count, twins=0):
    """folder/items/m00000.jpg ...: so many, drawn ones in turn, each with a tail of its own that no decoder looks at. With
    twins every tenth one is the same, byte for byte, as the one so many before it."""
    (folder / "items").mkdir()
    for i in range(count):
        same = twins and i % 10 == 9 and i >= twins
        of = i - twins if same else i
        file = drawn[of % len(drawn)]
        (folder / "items" / f"m{i:05d}{file.suffix}").write_bytes(file.read_bytes() + b"%d" % of)
    return folder / "items"


def lines_of(text, keep_order=False):
    """The lines of an export without the times, sorted if they may come in any order."""
    rows = [json.loads(line) for line in text.splitlines()]
    for row in rows:
        row.pop("time_ms", None)
    lines = [json.dumps(row, sort_keys=True) for row in rows]
    return lines if keep_order else sorted(lines)


def first_difference(expected, found):
    """Words for a failed comparison of two such lists; "" when they are equal."""
    if expected == found:
        return ""
    missing, extra = sorted(set(expected) - set(found)), sorted(set(found) - set(expected))
    return f"{len(expected)} lines expected, {len(found)} found; missing {missing[:2]}, extra {extra[:2]}"
