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

# sound: 2 samples before and 4 new ones with a running sum (1, 1) as state; total = gain x that sum; ends their first and
# last sample, out of (1, 1, N) or (6)
sum_nodes = [helper.make_node("ReduceSum", ["sound", "last"], ["sum"], keepdims=1),
             helper.make_node("Add", ["sum", "before"], ["after"]),
             helper.make_node("Cast", ["gain"], ["times"], to=FLOAT),
             helper.make_node("Mul", ["after", "times"], ["total"])]
for name, gain in (("sum", tensor("gain", [], INT64)), ("sum_float", tensor("gain", [1]))):
    write(name, sum_nodes, [tensor("before", [1, "one"]), tensor("sound", ["batch", "samples"]), gain],
          [tensor("total", [1, 1]), tensor("after", ["a", "b"])],
          [helper.make_tensor("last", INT64, [1], [1])])
write("state_of_two", [helper.make_node("Identity", ["sound"], ["same"]),
                       helper.make_node("Cast", ["before"], ["after"], to=DOUBLE)],
      [tensor("sound", [1, 6]), tensor("before", [2])], [tensor("same", [1, 6]), tensor("after", [2], DOUBLE)])
for name, dims in (("ends", [1, 1, "samples"]), ("ends_row", [6]), ("ends_column", ["batch", 6, 1])):
    write(name, [helper.make_node("Reshape", ["sound", "row"], ["flat"]),
                 helper.make_node("Gather", ["flat", "where"], ["ends"])],
          [tensor("sound", dims)], [tensor("ends", [2])],
          [helper.make_tensor("row", INT64, [1], [-1]), helper.make_tensor("where", INT64, [2], [0, -1])])

# text: its numbers as they are, of each type
for name, type in (("tokens", INT64), ("tokens_int32", TensorProto.INT32), ("tokens_float", FLOAT)):
    write(name, [helper.make_node("Cast", ["text"], ["numbers"], to=FLOAT)],
          [tensor("text", [1, "length"], type)], [tensor("numbers", [1, "length"])])

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
