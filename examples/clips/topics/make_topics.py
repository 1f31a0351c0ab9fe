# SPDX-License-Identifier: Apache-2.0
"""Writes topics.onnx, words.txt and topics.txt from the lexicon below. Needs the PyPI package onnx:

    python3 examples/clips/topics/make_topics.py

The model is the lexicon: word k of words.txt has a row of weights, how surely it tells of each topic; of a text the
largest weight of each topic counts. Words that it does not know, and blanks, are row 0, which says nothing.
"""
import pathlib

from onnx import TensorProto, checker, helper, save

HERE = pathlib.Path(__file__).parent
LENGTH = 32  # words of a text

# A weight below 0.5 is a hint that does not count by itself: "lane" may be of a shop.
LEXICON = {
    "traffic": {"traffic": 1, "car": 1, "cars": 1, "truck": 1, "trucks": 1, "van": 1, "bus": 1, "vehicle": 1, "vehicles": 1,
                "road": 0.9, "highway": 0.95, "parking": 0.9, "congestion": 0.95, "queue": 0.4, "lane": 0.4, "bridge": 0.4},
    "people": {"person": 1, "people": 1, "man": 1, "woman": 1, "child": 1, "crowd": 1, "pedestrian": 1, "pedestrians": 1,
               "visitor": 0.95, "visitors": 0.95, "walk": 0.8, "walks": 0.8, "walking": 0.8, "queue": 0.6, "crossing": 0.4},
    "goods": {"bottle": 1, "bottles": 1, "box": 0.8, "parcel": 0.95, "shelf": 0.8, "table": 0.6, "stock": 0.9, "taken": 0.4},
    "alarm": {"alarm": 1, "smoke": 0.95, "fire": 0.95, "accident": 1, "crash": 1, "help": 0.9, "broken": 0.7, "stopped": 0.4},
    "weather": {"rain": 1, "snow": 1, "fog": 1, "storm": 1, "sunny": 0.9, "wind": 0.9, "dark": 0.4},
}


def main():
    words = sorted({word for topic in LEXICON.values() for word in topic})
    names = ["-", *words]  # row 0
    weights = [LEXICON[topic].get(word, 0) for word in names for topic in LEXICON]
    graph = helper.make_graph(
        [helper.make_node("Gather", ["weights", "words"], ["rows"], axis=0),
         helper.make_node("ReduceMax", ["rows"], ["topics"], axes=[1], keepdims=0)],
        "topics", [helper.make_tensor_value_info("words", TensorProto.INT64, [1, LENGTH])],
        [helper.make_tensor_value_info("topics", TensorProto.FLOAT, [1, len(LEXICON)])],
        [helper.make_tensor("weights", TensorProto.FLOAT, [len(names), len(LEXICON)], weights)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    checker.check_model(model)
    save(model, HERE / "topics.onnx")
    (HERE / "words.txt").write_text("\n".join(names) + "\n")
    (HERE / "topics.txt").write_text("\n".join(LEXICON) + "\n")


if __name__ == "__main__":
    main()
