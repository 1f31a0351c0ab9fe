# SPDX-License-Identifier: Apache-2.0
"""A function has at most 70 lines and a file at most 1000. tools/size_exempt.txt names the exceptions, each as
"path" or "path:function" with its reason."""
import ast

import house

FUNCTION_MAX, FILE_MAX = 70, 1000


def c_functions(lines):
    """(name, line, length) of each function of a C file; the house format puts its braces in column 0."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            head = start - 1
            while head > 1 and "(" not in lines[head - 1]:
                head -= 1
            while head > 1 and lines[head - 1][:1].isspace():
                head -= 1
            name = lines[head - 1].split("(")[0].split()[-1].lstrip("*")
            yield name, start, number - start + 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def oversized(root):
    """(name as in the list of exemptions, line, what is wrong)"""
    for path in house.files(root, ".c", ".h", ".py", ".sh"):
        name, text = str(path.relative_to(root)), path.read_text()
        lines = text.splitlines()
        if len(lines) > FILE_MAX:
            yield name, 1, f"{len(lines)} lines, expected at most {FILE_MAX}"
        if path.suffix == ".sh":
            continue
        functions = python_functions(text) if path.suffix == ".py" else c_functions(house.code(text).splitlines())
        for function, line, length in functions:
            if length > FUNCTION_MAX:
                yield f"{name}:{function}", line, f"{length} lines, expected at most {FUNCTION_MAX}"


def check(root):
    exempt = house.read_list(root / "tools" / "size_exempt.txt")
    seen = set()
    for name, line, what in oversized(root):
        seen.add(name)
        if name not in exempt:
            path, _, function = name.partition(":")
            yield f"{path}:{line}: {function + ': ' if function else ''}{what}"
    for name, reason in exempt.items():
        if not reason:
            yield f"tools/size_exempt.txt: {name}: expected a reason"
        if name not in seen:
            yield f"tools/size_exempt.txt: {name}: is not too long, take it out"


if __name__ == "__main__":
    house.run(check)
