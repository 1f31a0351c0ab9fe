# SPDX-License-Identifier: Apache-2.0
"""Files of tensors are everybody's: read by the safetensors library, where it is installed, and by a reader of a few lines."""
import json
import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(os.environ.get("FEW_TEST_SOURCE", Path(__file__).parents[2]))
BUILD = Path(os.environ.get("FEW_BUILD") or os.environ.get("FEW_TEST_BUILD") or ROOT / "build")
DTYPES = {"F32": "<f4", "F64": "<f8", "I32": "<i4", "I64": "<i8", "U8": "u1"}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.safetensors"
    subprocess.run([BUILD / "tests/nn/write_tensors", path], check=True)
    return path


def read(path):
    data = path.read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + n])
    words = header.pop("__metadata__", {})
    tensors = {}
    for name, about in header.items():
        begin, end = about["data_offsets"]
        tensors[name] = np.frombuffer(data[8 + n:][begin:end], DTYPES[about["dtype"]]).reshape(about["shape"])
    return words, tensors


def check(words, tensors):
    assert json.loads(words["config"]) == {"seed": 1, "word": "é"}
    assert list(tensors["net.0.weight"].ravel()) == [0, 0.5, 1, 1.5, 2, 2.5]
    assert {name: (t.dtype.name, t.shape) for name, t in tensors.items()} == {
        "odd": ("uint8", (3,)), "net.0.weight": ("float32", (2, 3)), "f64": ("float64", ()), "i32": ("int32", (2, 1)),
        "i64": ("int64", (1,)), "none": ("float32", (0, 4))}
    assert tensors["f64"] == 0.1 and tensors["i64"][0] == 2**40
    assert list(tensors["odd"]) == [1, 2, 255] and list(tensors["i32"].ravel()) == [-1, 7]


def test_plain_reader(path):
    check(*read(path))


def test_safetensors_library(path):
    library = pytest.importorskip("safetensors")
    with library.safe_open(path, "np") as file:
        check(file.metadata(), {name: file.get_tensor(name) for name in file.keys()})


def test_safetensors_library_writes(path):
    """What the library writes is what our reader expects: aligned, without gaps. (Reading it is tested in C.)"""
    numpy = pytest.importorskip("safetensors.numpy")
    words, tensors = read(path)
    again = path.with_name("b.safetensors")
    numpy.save_file({name: np.array(t) for name, t in tensors.items()}, again, words)
    check(*read(again))
