# SPDX-License-Identifier: Apache-2.0
"""Functions that nobody calls here, and those that the library leaves to its host."""
import re

import house

NEVER = """strcpy strncpy strcat strncat sprintf vsprintf gets atoi atol atoll atof strtok strtok_r rand srand
    random alloca"""
NOT_OUTSIDE_TESTS = "system popen"
NOT_IN_SRC = """printf vprintf puts putchar perror exit _exit quick_exit getenv secure_getenv setenv putenv signal
    sigaction malloc calloc realloc reallocarray strdup strndup asprintf vasprintf"""
STREAMS = re.compile(r"\b(stdout|stderr)\b")
ALLOCATOR = "src/core/mem.c"  # malloc and its family appear here alone


def calls(names):
    return re.compile(r"(?<![\w.>])(" + "|".join(names.split()) + r")\s*\(")


def check(root):
    never, shell, not_in_src = calls(NEVER), calls(NOT_OUTSIDE_TESTS), calls(NOT_IN_SRC)
    for path in house.files(root, ".c", ".h"):
        name = path.relative_to(root).as_posix()
        for number, line in enumerate(house.code(path.read_text()).splitlines(), 1):
            banned = [] if name.startswith("tests/") else shell.finditer(line)
            for match in [*never.finditer(line), *banned]:
                yield f"{name}:{number}: {match.group(1)} is banned"
            if not name.startswith("src/") or name == ALLOCATOR:
                continue
            for match in [*not_in_src.finditer(line), *STREAMS.finditer(line)]:
                yield f"{name}:{number}: {match.group(1)} is not for the library"


if __name__ == "__main__":
    house.run(check)
