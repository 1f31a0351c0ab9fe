# SPDX-License-Identifier: Apache-2.0
"""Models in processes of their own, through the command."""
import json
import sys

WORKER = '''\
import json, sys
sys.stdin.readline()
if "unfit" in sys.argv:
    print("no such weights: w.bin", file=sys.stderr)
    sys.exit(3)
print(json.dumps({"ready": 1}), flush=True)
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "output": [0.5]}), flush=True)
'''
ZOO = f"""\
version: 1
models:
  - {{name: fit, backend: worker, command: [{json.dumps(sys.executable)}, half.py], input: {{size: [8, 8]}},
     output: {{kind: scalar}}}}
  - {{name: unfit, backend: worker, command: [{json.dumps(sys.executable)}, half.py, unfit], input: {{size: [8, 8]}},
     output: {{kind: scalar}}}}
"""


def test_check(fewer, tmp_path):
    (tmp_path / "half.py").write_text(WORKER)
    (tmp_path / "zoo.yaml").write_text(ZOO)
    got = fewer("check", "zoo.yaml", "--json")
    assert got.returncode == 1
    fit, unfit = json.loads(got.stdout)["models"]
    assert fit["name"] == "fit" and fit["status"] == "ok"
    assert fit["loaded_bytes"] > 1 << 20  # an interpreter's
    assert unfit["status"] != "ok"
    assert "model 'unfit': its worker ended with status 3; it said last: 'no such weights: w.bin'" in got.stderr
