# SPDX-License-Identifier: Apache-2.0
"""The voice detector as anybody would run it: window after window, the state fed back.

    voice_loop.py MODEL.onnx SAMPLES.f32 ANSWERS.f32
"""
import sys

import numpy as np
import onnxruntime

WINDOW, CONTEXT = 512, 64

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
samples = np.fromfile(sys.argv[2], np.float32)
more = {"sr": np.array(16000, np.int64)} if any(i.name == "sr" for i in session.get_inputs()) else {}
state, before, answers = np.zeros((2, 1, 128), np.float32), np.zeros(CONTEXT, np.float32), []
for start in range(0, len(samples), WINDOW):
    window = samples[start:start + WINDOW]
    window = np.concatenate([window, np.zeros(WINDOW - len(window), np.float32)])
    seen = np.concatenate([before, window])[np.newaxis]
    answer, state = session.run(["output", "stateN"], {"input": seen, "state": state, **more})
    answers.append(answer[0, 0])
    before = window[-CONTEXT:]
np.array(answers, np.float32).tofile(sys.argv[3])
