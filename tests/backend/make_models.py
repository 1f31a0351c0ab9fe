# SPDX-License-Identifier: Apache-2.0
"""Writes the small models of tests/backend/data. Needs the PyPI package onnx:

    python3 tests/backend/make_models.py
"""
import pathlib

from onnx import TensorProto, checker, helper, save

FLOAT, INT64, DOUBLE, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.DOUBLE, TensorProto.BOOL
DATA = pathlib.Path(__file__).parent / "data"


def tensor(name, dims, type=FLOAT):
    return helper.make_tensor_value_info(name, type, dims)


def write(name, nodes, inputs, outputs, constants=()):
    graph = helper.make_graph(nodes, name, inputs, outputs, list(constants))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    save(model, DATA / f"{name}.onnx")


def number(name, type, value, dims=()):
    return helper.make_tensor(name, type, dims, [value])


# mean (1, 3, 1, 1) of each channel, twice (1, 3, 4, 4)
write("mean",
      [helper.make_node("GlobalAveragePool", ["data"], ["mean"]),
       helper.make_node("Mul", ["data", "two"], ["twice"])],
      [tensor("data", [1, 3, 4, 4])], [tensor("mean", [1, 3, 1, 1]), tensor("twice", [1, 3, 4, 4])],
      [number("two", FLOAT, 2)])

# as mean for any batch: mean (B, 3), all (3,) the mean over the items too, flat (3 B,)
write("batch",
      [helper.make_node("ReduceMean", ["data"], ["mean"], axes=[2, 3], keepdims=0),
       helper.make_node("ReduceMean", ["mean"], ["all"], axes=[0], keepdims=0),
       helper.make_node("Reshape", ["mean", "one"], ["flat"])],
      [tensor("data", ["batch", 3, 4, 4])],
      [tensor("mean", ["batch", 3]), tensor("all", [3]), tensor("flat", ["numbers"])],
      [number("one", INT64, -1, [1])])

# mean by way of 96 MiB: (1, 3, 4, 4) to (1, 3, 2048, 4096) and its mean (1, 3, 1, 1)
write("large",
      [helper.make_node("GlobalAveragePool", ["data"], ["small"]),
       helper.make_node("Expand", ["small", "shape"], ["large"]),
       helper.make_node("GlobalAveragePool", ["large"], ["mean"])],
      [tensor("data", [1, 3, 4, 4])], [tensor("mean", [1, 3, 1, 1])],
      [helper.make_tensor("shape", INT64, [4], [1, 3, 2048, 4096])])

# any batch and width: (1, 3, 4, W) to the mean over the height, (1, W, 3)
write("width",
      [helper.make_node("ReduceMean", ["x"], ["flat"], axes=[2], keepdims=0),
       helper.make_node("Transpose", ["flat"], ["steps"], perm=[0, 2, 1])],
      [tensor("x", ["batch", 3, 4, "width"])], [tensor("steps", ["batch", "width", 3])])

write("integer", [helper.make_node("Cast", ["data"], ["rounded"], to=INT64)],
      [tensor("data", [1, 3, 4, 4])], [tensor("rounded", [1, 3, 4, 4], INT64)])

write("double", [helper.make_node("Identity", ["data"], ["same"])],
      [tensor("data", [1, 3, 4, 4], DOUBLE)], [tensor("same", [1, 3, 4, 4], DOUBLE)])

write("two_inputs", [helper.make_node("Add", ["a", "b"], ["sum"])],
      [tensor("a", [1, 3, 4, 4]), tensor("b", [1, 3, 4, 4])], [tensor("sum", [1, 3, 4, 4])])

# matrix products: for many hours, where only a cancelled run ends, and for some tenths of a second
body = helper.make_graph(
    [helper.make_node("MatMul", ["state", "state"], ["product"]),
     helper.make_node("Clip", ["product", "low", "high"], ["next"]),
     helper.make_node("Identity", ["go"], ["still"])],
    "body", [tensor("i", [], INT64), tensor("go", [], BOOL), tensor("state", [1, 1, 64, 64])],
    [tensor("still", [], BOOL), tensor("next", [1, 1, 64, 64])],
    [number("low", FLOAT, -1), number("high", FLOAT, 1)])
for name, steps in (("endless", 1 << 40), ("slow", 6000)):
    write(name,
          [helper.make_node("Loop", ["many", "yes", "data"], ["last"], body=body)],
          [tensor("data", [1, 1, 64, 64])], [tensor("last", [1, 1, 64, 64])],
          [number("many", INT64, steps), helper.make_tensor("yes", BOOL, (), [True])])
