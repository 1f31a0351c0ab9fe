# SPDX-License-Identifier: Apache-2.0
"""Each check of the house passes a good sample and stops at a bad one."""
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "tools"
SPDX_C = "// SPDX-License-Identifier: Apache-2.0\n"
SPDX_PY = "# SPDX-License-Identifier: Apache-2.0\n"
LONG = "int f(void)\n{\n" + "    x();\n" * 69 + "}\n"

# check, {file: text} of a sample, what the check says of it (None: nothing)
SAMPLES = [
    ("layers", {"src/exec/exec.c": '#include <string.h>\n#include "exec/view.h"\n#include "core/mem.h"\n'}, None),
    ("layers", {"src/core/mem.c": '\n#include "exec/view.h"\n'}, "src/core/mem.c:2: includes exec/view.h"),
    ("layers", {"src/media/image.c": '#include "store/store.h"\n'}, "may not see store"),
    ("layers", {"src/media/image.c": '#include "image.h"\n'}, 'expected "ROOM/image.h"'),
    ("layers", {"src/attic/x.c": "\n"}, "attic has no floor"),
    ("layers", {"src/exec/x.c": "#include <sqlite3.h>\n"}, "sqlite3.h belongs to store"),
    ("layers", {"cli/main.c": '#include <fewer/fewer.h>\n#include "cli.h"\n', "cli/cli.h": "#include <stdio.h>\n"}, None),
    ("layers", {"cli/main.c": '#include "core/mem.h"\n'}, "only its own headers"),
    ("layers", {"cli/main.c": '#include "../src/core/mem.h"\n', "src/core/mem.h": ""}, "only its own headers"),
    ("layers", {"examples/c/x.c": "#include <sqlite3.h>\n"}, "only <fewer/...>"),
    ("headers", {"include/fewer/a.h": "#include <stddef.h>\nsize_t few_a(void);\n"}, None),
    ("headers", {"include/fewer/a.h": "size_t few_a(void);\n"}, "not c17 alone"),
    ("headers", {"include/fewer/a.h": "int few_a(int *restrict new);\n"}, "not c++17 alone"),
    ("sizes", {"src/core/a.c": LONG.replace("    x();\n", "", 1)}, None),
    ("sizes", {"src/core/a.c": LONG}, "src/core/a.c:2: f: 71 lines"),
    ("sizes", {"src/core/a.c": LONG, "tools/size_exempt.txt": "src/core/a.c:f  one flat table\n"}, None),
    ("sizes", {"src/core/a.c": LONG, "tools/size_exempt.txt": "src/core/a.c:f\n"}, "expected a reason"),
    ("sizes", {"src/core/a.c": "\n", "tools/size_exempt.txt": "src/core/a.c:f  why\n"}, "take it out"),
    ("sizes", {"src/core/a.c": "\n" * 1001}, "src/core/a.c:1: 1001 lines"),
    ("sizes", {"bench/run.py": "def f():\n" + "    x()\n" * 70}, "bench/run.py:1: f: 71 lines"),
    ("names", {"src/core/env.c": "", "src/exec/exec.c": "", "include/fewer/env.h": "", "src/core/env.h": ""}, None),
    ("names", {"src/core/env.c": "", "cli/env.c": ""}, "the name is taken by"),
    ("banned", {"src/core/a.c": '// strcpy(\nint x = f("strcpy(");\n/* printf( */ y->printf(1); snprintf(2);\n'}, None),
    ("banned", {"cli/a.c": "\n    strcpy (a, b);\n"}, "cli/a.c:2: strcpy is banned"),
    ("banned", {"cli/a.c": "system(s);\n"}, "cli/a.c:1: system is banned"),
    ("banned", {"tests/core/a.c": "system(s);\n"}, None),
    ("banned", {"cli/a.c": 'printf("x");\n', "src/core/mem.c": "p = malloc(1);\n"}, None),
    ("banned", {"src/core/a.c": 'printf("x");\n'}, "printf is not for the library"),
    ("banned", {"src/core/a.c": "fputs(s, stderr);\n"}, "stderr is not for the library"),
    ("banned", {"src/core/a.c": 'x = getenv("HOME");\n'}, "getenv is not for the library"),
    ("banned", {"src/model/a.c": "p = malloc(1);\n"}, "malloc is not for the library"),
    ("spdx", {"src/core/a.c": SPDX_C, "tools/a.py": SPDX_PY, "demo/a.sh": "#!/bin/sh\n" + SPDX_PY}, None),
    ("spdx", {"src/core/a.c": "int x;\n" + SPDX_C}, "src/core/a.c:1: expected"),
    ("spdx", {"demo/a.sh": "#!/bin/sh\necho\n"}, "demo/a.sh:1: expected"),
    ("spdx", {"run": "#!/bin/sh\necho\n"}, "run:1: expected"),
    ("format", {"src/core/a.c": "int x;\n"}, None),
    ("format", {"src/core/a.c": "int  x ;\n"}, "run `make fmt`"),
]


def run(check, root, *arguments):
    command = [sys.executable, TOOLS / f"check_{check}.py", root, *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def plant(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def judge(got, expected):
    assert got.stderr == ""
    assert got.returncode == (1 if expected else 0), got.stdout
    assert (expected or "") in got.stdout


@pytest.mark.parametrize("check, files, expected", SAMPLES)
def test_sample(tmp_path, check, files, expected):
    plant(tmp_path, files)
    judge(run(check, tmp_path), expected)


@pytest.mark.parametrize("definitions, pending, expected", [
    ("int few_a(void) { return 1; } int few_b(void) { return 2; }", "", None),
    ("int few_a(void) { return 1; }", "", "few_b: declared with FEW_API, but not exported"),
    ("int few_a(void) { return 1; }", "few_b\n", None),
    ("int few_a(void) { return 1; } int few_b(void) { return 2; }", "few_b\n", "few_b: is there now"),
    ("int few_a, few_b, few_c;", "", "few_c: exported, but no public header"),
    ("int few_a, few_b, few__d;", "", "few__d: expected a name"),
    ("int few_a, few_b, helper;", "", "helper: expected a name"),
])
def test_symbols(tmp_path, definitions, pending, expected):
    header = "#define FEW_API\nFEW_API int few_a(void);\n/* FEW_API int no(void); */\nFEW_API FEW_MUST_USE int\nfew_b(void);\n"
    plant(tmp_path, {"include/fewer/a.h": header, "tools/symbols_pending.txt": pending, "a.c": definitions})
    library = tmp_path / "liba.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, tmp_path / "a.c"], check=True)
    judge(run("symbols", tmp_path, library), expected)
