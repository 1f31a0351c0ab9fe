# SPDX-License-Identifier: Apache-2.0
"""fewer check on models that look at sound and text."""
import json
import pathlib

DATA = pathlib.Path(__file__).resolve().parents[1] / "backend" / "data"

ZOO = """\
version: 1
labels: {words: {names: [a, b]}}
models:
  - {name: heard, file: sum.onnx, output: {kind: scalar, tensors: [total]},
     input: {kind: sound, rate: 8000, window: 4, context: 2, constants: {gain: 2},
             states: [{input: before, output: after, dims: [1, 1]}]}}
  - {name: read, file: tokens_int32.onnx, input: {kind: text, length: 9, vocabulary: words},
     output: {kind: vector, values: 9}}
  - {name: seen, file: mean.onnx, input: {size: [4, 4]}, output: {kind: vector, values: 3, tensors: [mean]}}
"""


def test_models_of_every_kind_of_input(fewer, tmp_path):
    (tmp_path / "zoo.yaml").write_text(ZOO)
    got = fewer("check", tmp_path / "zoo.yaml", "--root", DATA, "--runs", "3", "--json")
    assert got.returncode == 0, got.stderr
    models = json.loads(got.stdout)["models"]
    assert [model["name"] for model in models] == ["heard", "read", "seen"]


def test_what_does_not_fit_is_told(fewer, tmp_path):
    (tmp_path / "zoo.yaml").write_text(ZOO.replace("dims: [1, 1]", "dims: [2, 1]").replace("tokens_int32", "mean"))
    got = fewer("check", tmp_path / "zoo.yaml", "--root", DATA, "--json")
    assert got.returncode == 1
    heard, read, seen = json.loads(got.stdout)["models"]
    assert heard["message"] == "model 'heard': state 'before': expected float32 [2,1], found float32 [1,?]"
    assert read["message"] == ("model 'read': input 'data': expected int64, int32 or float32 [1,9], "
                               "found float32 [1,3,4,4]")
    assert seen["status"] == "ok"
