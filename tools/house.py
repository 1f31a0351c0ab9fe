# SPDX-License-Identifier: Apache-2.0
"""What the checks share: finding the project's files, reading C without comments, reporting."""
import re
import sys
from pathlib import Path

FOLDERS = ("src", "include", "cli", "examples", "bench", "tests", "tools", "demo", "fuzz", "web")


def files(root, *suffixes):
    """Every file of the project with one of the suffixes, in order of path."""
    found = []
    for folder in FOLDERS:
        found += [p for p in (root / folder).rglob("*") if p.suffix in suffixes and p.is_file()]
    return sorted(p for p in found if not {"__pycache__", "node_modules"} & set(p.parts))


def room(root, path):
    """The folder that owns a file: "core" for src/core/mem.c, "cli" for cli/main.c."""
    parts = path.relative_to(root).parts
    return parts[1] if parts[0] == "src" and len(parts) > 2 else parts[0]


_TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)


def code(text):
    """C text with comments and the insides of literals blanked; every line stays where it is."""
    def blank(match):
        kept = match.group()[0] if match.group()[0] in "\"'" else ""
        return kept + "\n" * match.group().count("\n") + kept
    return _TOKEN.sub(blank, text)


def read_list(path):
    """Lines "NAME  REASON" of an exemption file: {name: reason}; empty when there is no file."""
    lines = path.read_text().splitlines() if path.exists() else []
    pairs = (line.split(None, 1) for line in lines if line.strip() and not line.startswith("#"))
    return {pair[0]: pair[1] if len(pair) > 1 else "" for pair in pairs}


def run(check):
    """Call check(root) for problems ("path:line: what"), print them, exit 1 if there are any."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    problems = list(check(root))
    for problem in problems:
        print(problem)
    sys.exit(1 if problems else 0)
