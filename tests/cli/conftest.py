# SPDX-License-Identifier: Apache-2.0
"""The command under test, a zoo of models that are described but never loaded, and outputs for it."""
import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("FEW_TEST_SOURCE", Path(__file__).parents[2]))
BUILD = Path(os.environ.get("FEW_BUILD") or os.environ.get("FEW_TEST_BUILD") or ROOT / "build")


def find_command():
    for path in (BUILD / "fewer", BUILD / "cli" / "fewer"):
        if path.is_file():
            return path
    raise FileNotFoundError(f"no fewer in {BUILD}: build first, or set FEW_BUILD")


@pytest.fixture(scope="session")
def command():
    return find_command()


@pytest.fixture
def fewer(command, tmp_path):
    """Runs the command in the test's folder; the result has returncode, stdout and stderr."""

    def run(*args, stdin="", timeout=60):
        return subprocess.run([str(command), *map(str, args)], input=stdin, capture_output=True, text=True,
                              timeout=timeout, cwd=tmp_path)

    return run


ZOO = """\
version: 1
name: tiny
labels:
  animals: {names: [dog, cat, cow]}
models:
  - name: animals
    file: model.onnx
    input: {size: [32, 32]}
    output: {kind: labels, labels: animals}
    cost: {time_ms: 10}
  - name: faces
    file: model.onnx
    input: {size: [32, 32]}
    output: {kind: scalar}
    cost: {time_ms: 30}
"""


@pytest.fixture
def zoo(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no model: nothing here loads it")
    (tmp_path / "zoo.yaml").write_text(ZOO)
    return tmp_path / "zoo.yaml"


@pytest.fixture
def outputs(tmp_path):
    """Ten lines: animals says dog on the even ones, faces says 1 on the first five."""
    lines = [{"image": f"i{i}.jpg", "w": 8, "h": 6,
              "models": {"animals": {"ran": True, "valuable": [[0, 0.9]] if i % 2 == 0 else []},
                         "faces": {"ran": True, "scalar": 1.0 if i < 5 else 0.0}}} for i in range(10)]
    path = tmp_path / "outputs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path
