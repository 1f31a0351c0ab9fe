# SPDX-License-Identifier: Apache-2.0
"""A worker for the tests that hears and reads. Sound: the sum of all that its lane heard since the item's beginning;
text: the sum of its numbers. It answers with what it was greeted with where a window begins with -1."""
import base64
import json
import struct
import sys

sums = {}
hello = json.loads(sys.stdin.readline())
print(json.dumps({"ready": 1}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if "tokens" in request:
        assert request["shape"] == [1, len(request["tokens"])] and "first" not in request and "data" not in request
        answer = sum(request["tokens"])
    else:
        data = base64.b64decode(request["data"], validate=True)
        numbers = struct.unpack(f"<{len(data) // 4}f", data)
        assert request["shape"] == [1, len(numbers)] == hello["shape"]
        lane = request["lane"]
        if request["first"]:
            sums[lane] = 0
        sums[lane] += sum(numbers)
        answer = sums[lane]
        if numbers[0] == -1:
            answer = hello["rate"] + hello["window"] * 10 + hello["hop"] + hello["context"] / 10
    print(json.dumps({"id": request["id"], "output": [answer]}), flush=True)
