# SPDX-License-Identifier: Apache-2.0
"""check_symbols.py ROOT LIBRARY: what the library exports is what the public headers mark FEW_API, no more, no
less, and begins with few_ (not few__)."""
import re
import subprocess
import sys

import house

DECLARED = re.compile(r"\bFEW_API\b[^;{]*?\b(\w+)\s*\(", re.S)


def declared(root):
    names = set()
    for path in sorted((root / "include" / "fewer").glob("*.h")):
        text = re.sub(r"^\s*#.*(\\\n.*)*$", "", house.code(path.read_text()), flags=re.M)
        names |= set(DECLARED.findall(text.replace("FEW_MUST_USE", "")))
    return names


def exported(library):
    out = subprocess.run(["nm", "-D", "--defined-only", library], check=True, capture_output=True, text=True)
    return {line.split()[-1].split("@")[0] for line in out.stdout.splitlines()}


def check(root):
    headers, library = declared(root), exported(sys.argv[2])
    pending = set(house.read_list(root / "tools" / "symbols_pending.txt"))
    for name in sorted(library | headers):
        if not name.startswith("few_") or name.startswith("few__"):
            yield f"{name}: expected a name that begins with few_ and not few__"
        elif name not in headers:
            yield f"{name}: exported, but no public header declares it with FEW_API"
        elif name not in library and name not in pending:
            yield f"{name}: declared with FEW_API, but not exported"
        elif name in library and name in pending:
            yield f"{name}: is there now; take it out of tools/symbols_pending.txt"


if __name__ == "__main__":
    house.run(check)
