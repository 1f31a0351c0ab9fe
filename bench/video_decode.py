# SPDX-License-Identifier: Apache-2.0
"""video_decode: frames a second of `fewer label` with a model that costs next to nothing (the mean of the picture) and a store,
beside the ffmpeg command that decodes and scales the same clip to the same size.  Ratio = ours / theirs, at least 0.95 wanted.

Both start from nothing each time; what that takes is measured in the same round, on the clip's first frame alone, and
subtracted.  video_decode.py BUILD ZOO RUNTIME [SECONDS]"""
import json
import pathlib
import statistics
import subprocess
import sys
import time

ROUNDS, SIDE = 9, 224
ZOO = f"""\
version: 1
models:
  - {{name: brightness, file: mean.onnx, input: {{size: [{SIDE}, {SIDE}], std: 255}}, output: {{kind: vector, values: 3}}}}
"""


def field(number, value):
    """One field of a protocol buffer: a number, a text, or bytes that are a message."""
    if isinstance(value, int):
        return bytes([number << 3]) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2]) + varint(len(value)) + value


def varint(n):
    return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)


def tensor(name, *dims):
    """ONNX's ValueInfoProto of a float tensor."""
    shape = b"".join(field(1, field(1, dim)) for dim in dims)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))


def mean_model():
    """ONNX: GlobalAveragePool of a picture, opset 13."""
    node = field(1, "picture") + field(2, "mean") + field(4, "GlobalAveragePool")
    graph = field(1, node) + field(2, "mean") + field(11, tensor("picture", 1, 3, SIDE, SIDE)) + field(12, tensor("mean", 1, 3, 1, 1))
    return field(1, 8) + field(8, field(2, 13)) + field(7, graph)


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)], check=True)


def make_clips(folder, zoo, seconds):
    """A long clip of pictures alone, its first frame, and how many frames the long one has."""
    street, long, first = pathlib.Path(zoo, "videos", "pedestrians.mp4"), folder / "long.mp4", folder / "first.mp4"
    if street.exists():
        ffmpeg("-stream_loop", -1, "-i", street, "-t", seconds, "-an", "-c", "copy", long)
    else:
        ffmpeg("-f", "lavfi", "-i", f"testsrc2=s=640x360:r=25:d={seconds}", "-c:v", "libx264", "-preset", "fast", "-pix_fmt", "yuv420p", long)
    ffmpeg("-i", long, "-frames:v", 1, "-an", "-c", "copy", first)
    words = ["ffprobe", "-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", long]
    return long, first, int(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def took(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main():
    build, zoo, runtime = sys.argv[1:4]
    folder = pathlib.Path(build, "bench-video")
    folder.mkdir(exist_ok=True)
    (folder / "mean.onnx").write_bytes(mean_model())
    (folder / "zoo.yaml").write_text(ZOO)
    fewer = next(path for path in (f"{build}/fewer", f"{build}/cli/fewer") if pathlib.Path(path).is_file())
    long, first, frames = make_clips(folder, zoo, float(sys.argv[4]) if len(sys.argv) > 4 else 500)

    def ours(clip):
        return [fewer, "label", folder / "zoo.yaml", clip, "--runtime", runtime, "-o", folder / "run.db", "--force", "--quiet"]

    def theirs(clip):
        return ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", clip, "-vf", f"scale={SIDE}:{SIDE}:flags=bilinear",
                "-pix_fmt", "rgb24", "-f", "rawvideo", "/dev/null"]

    rates = {ours: [], theirs: []}
    for side in rates:
        took(side(first))  # files into the cache
    for _ in range(ROUNDS):
        for side, rate in rates.items():
            whole, start = took(side(long)), took(side(first))
            rate.append((frames - 1) / (whole - start))
    rates = [statistics.median(rate) for rate in rates.values()]
    print(json.dumps({"name": "video_decode", "ours": round(rates[0], 1), "theirs": round(rates[1], 1), "peer": "ffmpeg",
                      "unit": "frames/s", "ratio": round(rates[0] / rates[1], 3)}))


main()
