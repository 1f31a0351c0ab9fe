# SPDX-License-Identifier: Apache-2.0
"""A worker for the tests, with a habit: odd_worker.py HABIT FOLDER. It notes its process in FOLDER/pids."""
import base64
import json
import os
import signal
import struct
import subprocess
import sys

HABIT, FOLDER = sys.argv[1:]
out = sys.stdout


def say(answer):
    out.write((answer if isinstance(answer, str) else json.dumps(answer)) + "\n")
    out.flush()


def floats(text):
    data = base64.b64decode(text, validate=True)
    return struct.unpack(f"<{len(data) // 4}f", data)


def packed(numbers):
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def means(request):
    """The mean of each channel of each item."""
    items, channels, height, width = request["shape"]
    numbers, plane = floats(request["data"]), height * width
    assert len(numbers) == items * channels * plane
    return [sum(numbers[i * plane:(i + 1) * plane]) / plane for i in range(items * channels)]


def through_gate():
    """Tell that we are here, then wait until somebody lets us go on."""
    open(f"{FOLDER}/entered", "w").close()
    open(f"{FOLDER}/go").read()


def look_around():
    """What the host left us, for the test to read."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with open(f"{FOLDER}/around", "w") as file:
        print([fd for fd in range(200) if fd != file.fileno() and os.path.exists(f"/proc/self/fd/{fd}")],
              [int(s) for s in mask], signal.getsignal(signal.SIGUSR1) == signal.SIG_DFL,
              os.getpgrp() == os.getpid(), file=file)


def habits(request, count):
    """Whether the habit has dealt with the request."""
    same, three = request["id"], means(request)
    first = floats(request["data"])[0]
    if HABIT == "crash" and count == 3:
        print("Traceback: ...\nValueError: three is too many\n", file=sys.stderr)
        sys.exit(7)
    elif HABIT == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    elif HABIT == "hangs_up":
        os.close(0), os.close(1)
        signal.pause()
    elif HABIT == "gate" and first == 1:
        through_gate()
        return False
    elif HABIT == "rubbish":
        say("Loading weights ...")
    elif HABIT == "no_object":
        say("[1, 2]")
    elif HABIT == "no_id":
        say({"output": three})
    elif HABIT == "other_id":
        say({"id": same + 1, "output": three})
    elif HABIT == "twice":
        say(json.dumps({"id": same, "output": three}) + "\n" + json.dumps({"id": same, "output": three}))
    elif HABIT == "nan":
        say('{"id": %d, "output": [NaN, 1, 2]}' % same)
    elif HABIT == "too_large":
        say({"id": same, "output": [1e300, 1, 2]})
    elif HABIT == "nothing":
        say({"id": same})
    elif HABIT == "wrong_shape":
        say({"id": same, "outputs": [{"shape": [1, 4], "data": packed(three)}]})
    elif HABIT == "no_shape":
        say({"id": same, "outputs": [{"data": packed(three)}]})
    elif HABIT == "many_dims":
        say({"id": same, "outputs": [{"shape": [1] * 8 + [3], "data": packed(three)}]})
    elif HABIT == "negative":
        say({"id": same, "outputs": [{"shape": [-1, -3], "data": packed(three)}]})
    elif HABIT == "no_base64":
        say({"id": same, "outputs": [{"shape": [1, 3], "data": "****************"}]})
    elif HABIT == "half_numbers":
        say({"id": same, "outputs": [{"shape": [1, 3], "data": "AAAA"}]})
    elif HABIT == "few_outputs":
        say({"id": same, "outputs": []})
    elif HABIT == "other_name":
        say({"id": same, "outputs": [{"name": "median", "shape": [1, 3], "data": three}]})
    elif HABIT == "one_for_two":
        say({"id": same, "outputs": [{"shape": [1, len(three)], "data": three}]})
    elif HABIT == "huge":
        say('{"id": %d, "output": [%s1]}' % (same, " " * (64 << 20)))
    elif HABIT == "error" and count == 2:
        say({"id": same, "error": "the picture is upside down\nTraceback"})
    elif HABIT == "lists":
        say({"id": same, "outputs": [{"shape": [len(three) // 3, 3], "data": three}], "took": 1})
    elif HABIT == "named":
        say({"id": same, "outputs": [{"name": "twice", "shape": [1, 0], "data": ""},
                                     {"name": "mean", "shape": [1, 3, 1], "data": packed(three)}]})
    else:
        return False
    return True


def start():
    with open(f"{FOLDER}/pids", "a") as pids:
        print(os.getpid(), file=pids)
    if HABIT == "crash_at_start":
        sys.exit("no such weights: w.bin")
    if HABIT == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if HABIT == "parent":
        child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        with open(f"{FOLDER}/pids", "a") as pids:
            print(child.pid, file=pids)
    hello = json.loads(sys.stdin.readline())
    with open(f"{FOLDER}/hello", "w") as file:
        json.dump(hello, file, sort_keys=True)
    if HABIT == "hang_at_start":
        signal.pause()
    if HABIT == "looks":
        look_around()
    answers = {"refuses": {"error": "needs a newer Python"}, "old": {"ready": 2}, "not_ready": {"steady": 1}}
    say(answers.get(HABIT, {"ready": 1, "version": "odd 1"}))
    if HABIT == "late_ear":
        through_gate()


def main():
    start()
    for count, line in enumerate(sys.stdin, 1):
        if HABIT == "noisy":
            sys.stderr.write("x" * 1000000 + "\nlast words\n")
            sys.stderr.flush()
        request = json.loads(line)
        if not habits(request, count):
            say({"id": request["id"], "output": means(request)})
    if HABIT == "stubborn":
        while True:
            signal.pause()


main()
