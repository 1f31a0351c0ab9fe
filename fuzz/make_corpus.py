# SPDX-License-Identifier: Apache-2.0
"""Make fuzz/corpus: valid inputs of each form and broken ones, small enough to read.

Run as `.venv/bin/python fuzz/make_corpus.py`; the results are committed. Files named found_* come from fuzzing (each
crashed a target once, made small) and are left alone. Images are those drawn for tests/media.
"""
import base64
import gzip
import struct
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORPUS = HERE / "corpus"
DRAWN = HERE.parent / "tests" / "media" / "data"


def keep(target, name, data):
    folder = CORPUS / f"fuzz_{target}"
    folder.mkdir(parents=True, exist_ok=True)
    data = data.encode() if isinstance(data, str) else data
    assert len(data) <= 4096, name
    (folder / name).write_bytes(data)


# ---- manifests ----

HEAD = "version: 1\nlabels:\n  sky: {file: labels.txt, null_labels: [none], count: 3}\n  g: {names: [a, b]}\nmodels:\n"
SMALL = "  - {name: a, file: m.onnx, input: {size: [4, 4]}, output: {kind: vector}}\n"


def model(output, **more):
    extra = "".join(f", {key}: {value}" for key, value in more.items())
    return f"  - {{name: a, file: m.onnx, input: {{size: [32, 32]}}, output: {output}{extra}}}\n"


FULL = HEAD.replace("version: 1\n", "version: 1\nname: all\nsampling: libvips\n") + """\
  - name: chained
    task: second
    backend: onnx
    file: m.onnx
    needs: found
    priority: 2.5
    cost: {time_ms: 7.9, memory: 1.5MiB}
    variant_of: chained
    input: {kind: image, name: in, size: [640, 32], resize: height, min_width: 48, layout: NHWC, colour: GRAY,
            mean: 127.5, std: [2], crop: box, pick: largest-wide, sampling: centre}
    output: {kind: scalar, values: 1, offset: 2, step: 3, activation: sigmoid, empty: -1, tolerance: 0.5}
  - name: found
    file: other.onnx
    input: &in {size: [320, 240], mean: [103.53, 116.28, 123.675], std: [1e0, .5, 2.], pad: 114,
                resize: letterbox-centre, colour: BGR}
    output: {kind: detections, decode: fastestv2, tensors: [a, b], labels: g, threshold: 0.25, keep: 0.1, iou: 0.6,
             strides: [16, 32], anchors: [1, 2.5]}
  - {name: v, file: m.onnx, input: {<<: *in, size: [8, 8]}, output: {kind: labels, labels: sky}}
  - {name: w, file: m.onnx, input: *in, variant_of: v, output: {kind: labels, labels: sky}}
"""


SOUND = """\
  - {name: s, file: m.onnx, output: {kind: scalar, combine: last},
     input: {kind: sound, name: in, rate: 16000, window: 32ms, hop: 256, context: 0.004s, constants: {sr: 16000, x: -1.5},
             states: [{input: state, output: stateN, dims: [2, 1, 128]}, {input: b, output: c, dims: [1]}]}}
  - {name: t, file: m.onnx, variant_of: s, input: {kind: sound, rate: 8000, window: 100}, output: {kind: scalar}}
"""
TEXT = """\
  - {name: t, file: m.onnx, output: {kind: sequence, decode: ctc, labels: g},
     input: {kind: text, split: characters, length: 7, vocabulary: g, unknown: 1, pad: -1, constants: {a: 0}}}
"""


def manifests():
    outputs = {
        "classes": "{kind: classes, labels: sky, activation: softmax}",
        "seg_mean": "{kind: labels, decode: seg-mean, map_layout: NHWC, fraction: 0.5, labels: sky}",
        "seg_share": "{kind: labels, decode: seg-share, labels: sky, map_layout: NCHW, threshold: 0.2}",
        "mask_share": "{kind: scalar, decode: mask-share, mask_threshold: 0.4}",
        "yolox": "{kind: detections, decode: yolox, labels: g, strides: [8, 16], keep: 0.4}",
        "nanodet": "{kind: detections, decode: nanodet, labels: g, strides: [8], tensors: [a, b]}",
        "ultraface": "{kind: detections, decode: ultraface, tensors: [scores, boxes], labels: g, iou: 0}",
        "yunet": "{kind: detections, decode: yunet, strides: [8, 16, 32]}",
        "centernet": "{kind: detections, decode: centernet, tensors: [a, b, c, d]}",
        "regions": "{kind: detections, decode: regions, unclip: 0.2, region_pixels: 240, region_mean: 0.3}",
        "box": "{kind: box, values: 5}",
        "ctc": "{kind: sequence, decode: ctc, labels: g}",
    }
    for name, output in outputs.items():
        keep("manifest", f"{name}.yaml", HEAD + model(output))
    keep("manifest", "full.yaml", FULL)
    keep("manifest", "sound.yaml", HEAD + SOUND)
    keep("manifest", "text.yaml", HEAD + TEXT)
    keep("manifest", "bad_sound.yaml", HEAD + SOUND.replace("32ms", "33.3ms").replace("8000", "384001").replace(
        "[2, 1, 128]", "[4194304, 2]").replace("stateN", "sr") + SOUND.replace("sr: 16000", "state: .nan"))
    keep("manifest", "bad_tokens.yaml", HEAD + TEXT.replace("vocabulary: g", "vocabulary: none").replace("7", "0"))
    keep("manifest", "circle.yaml", HEAD + "".join(
        f"  - {{name: m{i}, file: m.onnx, input: {{size: [4, 4]}}, output: {{kind: box}}, needs: m{(i + 1) % 3}}}\n"
        for i in range(3)))
    broken = {
        "empty": "", "blank": "\n\n", "bom": "\ufeffversion: 1\nmodels: 0\n", "version": "version: 2\n" + HEAD,
        "list": "[1, 2]\n", "text": "no manifest\n", "tabs": "version:\t1\nmodels:\n\t- a\n",
        "no_file": HEAD + SMALL.replace("m.onnx", "none.onnx"), "folder": HEAD + SMALL.replace("m.onnx", "."),
        "broken_list": "version: 1\nlabels: {x: {file: broken.txt}, y: {file: empty.txt}}\nmodels: 0\n",
        "twice": HEAD + SMALL + SMALL + "version: 1\n", "unknown": HEAD + SMALL + "    verson: 1\n",
        "numbers": HEAD + model("{kind: vector, values: 99999999999999999999}",
                                cost="{time_ms: .nan, memory: -1KiB}", priority="-.inf"),
        "sizes": HEAD + SMALL.replace("[4, 4]", "[0, 8193, 1e99]"), "recursive": "models:\n  - &m [*m]\n  - *n\n",
        "merge": "x: &x {version: 2, name: [1]}\nversion: 1\n<<: [*x, {models: 3, version: 4}]\n",
        "merge_self": "x: &x {<<: *x}\n<<: *x\nversion: 1\nmodels: []\n", "tag": "version: !!int 1\nmodels: !x []\n",
        "documents": "version: 1\nmodels: 0\n---\nb: 2\n...\n%YAML 1.2\n---\n", "cut": FULL[:400],
        "deep": "version: 1\nmodels: " + "[" * 40 + "]" * 40 + "\n", "nul": "version: 1\0\nmodels: []\n",
        "utf8": b"version: 1\nname: \xff\xfe\xc3\nmodels: []\n", "quotes": "version: \"1\nname: 'x\nmodels: []\n",
        "anchors": "version: 1\nmodels:\n" + "".join(f"  - &a{i} {{x: {i}}}\n" for i in range(60)),
        "block": "version: 1\nname: |\n  a\n   b\n? [a]\n: b\nmodels: >-\n  x\n",
    }
    for name, text in broken.items():
        keep("manifest", f"bad_{name}.yaml", text)


# ---- JSON lines ----

GOOD = """{"image": "a.jpg", "w": 320, "h": 240, "load_ms": 3.5, "models": {"c": {"ran": true, "valuable": [[0, 0.91]],
 "ms": 4.1, "pre_ms": 1, "post_ms": 0.5}, "l": {"labels": [0.1, 0.9, 0]}, "d": {"bbox": [0.25, 0.1, 0.2, 0.3], "conf": 0.98,
 "n": 2}, "e": {"scalar": 31.5}, "b": {"bbox": null}, "s": {"sequence": ["a", 3, "ab"], "conf": 0.5}, "v": {"vector":
 [1, -2, 3e38, 0]}, "f": {"detections": [[0, 0.9, 0.1, 0.1, 0.5, 0.5], [0, 0.4, 0.9, 0.9, 0.5, 0.5]]}}}
""".replace("\n ", " ")


def line(name, said):
    return f'{{"image": "x.jpg", "models": {{"{name}": {said}}}}}\n'


def json_lines():
    keep("import", "all_kinds.jsonl", GOOD)
    keep("import", "two.jsonl", GOOD + "\n \t\r\n" + '{"item": "b", "error": "cut off"}')
    keep("import", "all_kinds.jsonl.gz", gzip.compress(GOOD.encode() * 3, mtime=0))
    keep("import", "cut.jsonl.gz", gzip.compress(GOOD.encode() * 3, mtime=0)[:-40])
    keep("import", "two_members.jsonl.gz", gzip.compress(b'{"image": "a"', mtime=0) + gzip.compress(b"}\n", mtime=0))
    good = {
        "not_run": ("e", '{"ran": false}'), "not_run_alone": ("v", '{"ran": false}'), "error": ("c", '{"error": "no"}'),
        "share": ("f", '{"n": 3, "scalar": 0.25}'), "nothing": ("d", '{"n": 0, "bbox": null}'),
        "labels_of_detector": ("d", '{"labels": [0.75]}'), "many": ("f", '{"detections": [%s]}' % ", ".join(
            f"[0, 0.{i % 90 + 10}, 0, 0, 1, 1]" for i in range(150))), "outside": ("d", '{"bbox": [-1, -1, 3, 3]}'),
        "unknown": ("nobody", "5"), "empty_sequence": ("s", '{"sequence": []}'), "long_vector": ("v", '{"vector": [%s]}'
                                                                                        % ",".join("1" * 500)),
    }
    broken = {
        "index": ("c", '{"valuable": [[3, 0.5]]}'), "pair": ("c", '{"valuable": [[0, 0.5, 1], 7]}'),
        "short": ("l", '{"labels": [0.5]}'), "kind": ("e", '{"scalar": "x"}'), "huge": ("e", '{"scalar": 1e300}'),
        "token": ("s", '{"sequence": ["c", -1]}'), "box": ("b", '{"bbox": [0, 0, -1]}'), "time": ("c", '{"ms": -5}'),
        "model": ("c", "[]"), "numbers": ("e", '{"scalar": 1e999}'), "detection": ("f", '{"detections": [[9, 2]]}'),
    }
    for name, (key, said) in good.items():
        keep("import", f"{name}.jsonl", line(key, said))
    for name, (key, said) in broken.items():
        keep("import", f"bad_{name}.jsonl", line(key, said))
    texts = {
        "empty": "", "text": "hello\n", "array": "[1]\n", "no_image": "{}\n", "size": '{"image": "a", "w": -1, "h": 1e10}\n',
        "twice": '{"image": "a", "image": "b"}\n', "nul": '{"image": "a\\u0000b"}\n', "raw_nul": '{"image": "a\0"}\n',
        "utf8": b'{"image": "\xff"}\n', "deep": '{"image": "a", "models": ' + "[" * 1500 + "\n", "cut": GOOD[:300],
        "surrogate": '{"image": "\\ud800"}\n',
    }
    for name, text in texts.items():
        keep("import", f"bad_{name}.jsonl", text)


# ---- stores ----

def packed(kind, n, *rest, flags=0, confidence=0.5):
    return b"p" + struct.pack("<BBfI", kind, flags, confidence, n) + b"".join(rest)


def floats(*numbers):
    return struct.pack(f"<{len(numbers)}f", *numbers)


def stores():
    detection = struct.pack("<i6f", 0, 0.9, 0.1, 0.1, 0.5, 0.5, 0.25)
    outputs = {
        "classes": packed(0, 3, floats(0.9, 0.1, 0)), "labels_sparse": packed(1, 3, struct.pack("<IIf", 1, 2, 0.75), flags=2),
        "detections": packed(2, 2, detection, detection), "no_detection": packed(2, 0, flags=1, confidence=0),
        "box": packed(3, 4, floats(0.1, 0.2, 0.3, 0.4)), "scalar": packed(4, 1, floats(31.5)),
        "sequence": packed(5, 3, struct.pack("<3i", 0, 3, 1)), "vector": packed(6, 4, floats(1, -2, 3e38, 0)),
        "vector_sparse": packed(6, 1000, struct.pack("<IIfIf", 2, 0, 1, 999, 2), flags=2),
    }
    nan = float("nan")
    broken = {
        "none": b"p", "kind": packed(9, 1, floats(1)), "flags": packed(0, 3, floats(1, 2, 3), flags=0xFC),
        "n": packed(6, 0xFFFFFFFF), "cut": packed(2, 2, detection), "more": packed(4, 1, floats(1, 2)),
        "label": packed(2, 1, struct.pack("<i6f", -1, *[nan] * 6)), "token": packed(5, 1, struct.pack("<i", 99)),
        "order": packed(6, 9, struct.pack("<IIfIf", 2, 5, 1, 5, 2), flags=2), "nan": packed(0, 3, floats(nan, 1e30, -1)),
        "sparse_detections": packed(2, 1, detection, flags=2), "sparse_count": packed(6, 3, b"\xff" * 4, flags=2),
    }
    changes = {
        "none": "", "output": "results output 2 x0200000000000100000000", "reason": "results reason 0 i99",
        "outcome": "results outcome 1 i6\nresults outcome 2 i-1", "times": "results time_us 0 i-9223372036854775808",
        "kind": "models kind 2 tvector", "needs": "models needs 3 i3\nmodels needs 2 i-7\nmodels variant_of 1 i500",
        "list": "models list 0 i77", "names": "label_lists n 0 i4000000000\nlabel_names name 1 n", "priority":
        "models priority 0 r-1\nmodels threshold 1 r1e999", "item": "items id 1 i7\nitems path 0 x00ff00\nitems status 2 i-99",
        "missing": "results model - i3\nitems id - i0", "no_models": "models id - i0\nmodels id - i1\nmodels needs - n",
        "size": "items width 0 i-5\nitems height 1 i9000000000", "meta": "meta value 0 x7b\nmeta value 1 n\nmeta key - tpurpose",
        "totals": "totals executed 0 i-1\ntotals items 0 i9223372036854775807\ntotals skipped 0 n",
        "no_totals": "totals id - i0\ntotals id - i1\nmeta key - tplanned", "failed": "items failed 0 i2\nitems late 1 i-1",
        "known": "items digest 0 tx\nitems digest 1 i5\nitems size 2 i-1\nitems mtime_us 0 r1e300\nitems path 1 ta.jpg",
        "types": "models name 0 x00\nmodels digest 1 i5\nresults output 0 ttext\nresults item 5 tx", "space":
        "label_lists space 0 tx\nlabel_names i 0 i-4\nlabel_names is_null 0 ty",
    }
    changes |= {
        "stream": "items stream 0 i7\nitems stream 1 i-3\nitems at_us 0 i-9223372036854775808\nitems until_us 1 tx",
        "streams": "streams id 1 i999999\nstreams fps 0 r1e999\nstreams n_in 0 i-1\nstreams path 0 x00ff\nstreams options 1 t[",
        "stream_gone": "streams id 0 i5\nitems at_us 1 i9223372036854775807", "lane": "results lane 0 i-7\nresults lane 1 i2000000000",
        "look": "looks grey 0 x78da0300", "modality": "models modality 0 ttaste",
    }
    for name, data in outputs.items():
        keep("store", f"packed_{name}", data)
    for name, data in broken.items():
        keep("store", f"packed_bad_{name}", data)
    for name, text in changes.items():
        keep("store", f"changed_{name}", "e" + text + "\n" * bool(text))
    page = b"SQLite format 3\0" + struct.pack(">HBBBBBB", 512, 1, 1, 0, 64, 32, 32)
    keep("store", "database_empty", b"d")
    keep("store", "database_text", b"dnot a database\n" * 80)
    keep("store", "database_header", b"d" + (page + bytes(76)).ljust(1024, b"\0"))


# ---- answers of workers ----

def answers():
    one, ten = base64.b64encode(floats(1.5)).decode(), base64.b64encode(floats(*range(10))).decode()
    named = '{"id": 7, "outputs": [{"name": "b", "shape": [%s], "data": %s}, {"name": "a", "shape": [2, 5], "data": "%s"}]}'
    good = {
        "ready": 'v{"ready": 1, "version": "svc 1.0"}', "ready_bare": 'v{"ready": 1}', "refused": 'v{"error": "no model\\nhere"}',
        "short": '1{"id": 7, "output": [0.5, 1, -3e38]}', "short_batch": '3{"id": 7, "output": [1, 2, 3, 4, 5, 6]}',
        "failed": '1{"id": 7, "error": "no \\n"}', "nothing": '1{"id": 7, "output": []}',
        "base64": '1{"id": 7, "outputs": [{"shape": [1, 10], "data": "%s"}]}' % ten,
        "named": "A" + named % ("1, 1", f'"{one}"', ten), "named_batch": "B" + named % ("2, 0, 4", "[]", ten),
        "in_order": 'A{"id": 7, "outputs": [{"shape": [1], "data": [1]}, {"shape": [1, 1, 1, 1], "data": [2]}]}',
    }
    broken = {
        "empty": "1", "rubbish": "1hello", "array": "1[7]", "other_id": '1{"id": 8, "output": [1]}', "no_id": '1{"output": [1]}',
        "big_id": '1{"id": 9223372036854775808, "output": [1]}', "both": '1{"id": 7, "output": [1], "outputs": []}',
        "twice": '1{"id": 7, "id": 7, "output": [1]}', "text": '1{"id": 7, "output": ["x"]}', "huge": '1{"id": 7, "output": [1e39]}',
        "one_of_two": 'A{"id": 7, "output": [1]}', "padding": '1{"id": 7, "outputs": [{"shape": [1], "data": "AAA="}]}',
        "characters": '1{"id": 7, "outputs": [{"shape": [1], "data": "AA*AAA=="}]}', "uneven": '4{"id": 7, "output": [1, 2, 3]}',
        "dims": '1{"id": 7, "outputs": [{"shape": [4294967296, 4294967296], "data": []}]}', "negative":
        '1{"id": 7, "outputs": [{"shape": [-1, -1], "data": [1]}]}', "many_dims":
        '1{"id": 7, "outputs": [{"shape": [1, 1, 1, 1, 1, 1, 1, 1, 1, 1], "data": [1]}]}', "names":
        'A{"id": 7, "outputs": [{"name": "c", "shape": [1], "data": [1]}, 5]}', "ready_other": 'v{"ready": 99999999999}',
        "ready_text": 'v{"ready": "1"}', "long_version": 'v{"ready": 1, "version": "%s"}' % ("\u00e9" * 200), "nul":
        '1{"id": 7,\0"output": [1]}', "bytes": b"1\xff\xfe\x00" * 30,
    }
    for name, line in good.items():
        keep("worker", name, line)
    for name, line in broken.items():
        keep("worker", f"bad_{name}", line)


# ---- rules ----

def rules():
    head = "version: 1\nrules:\n"
    good = {
        "space": "  - {when: {space: places}, models: [d], times: 2}\n",
        "labels": "  - {when: {space: places, labels: [beach, none]}, models: [v, c], times: 0.5}\n",
        "model": "  - {when: {model: e}, models: [b], times: 1e2}\n  - {when: {model: l, labels: [street]}, models: [f], times: .5}\n",
        "merged": "  - &a {when: {space: face}, models: [d], times: 3}\n  - {<<: *a, models: [e, d]}\n",
    }
    broken = {
        "names": "  - {when: {space: place, labels: [x]}, models: [dd], times: 2}\n  - {when: {model: q}, tasks: [faces], times: 1}\n",
        "times": "  - {when: {space: face}, models: [d], times: 0}\n  - {when: {space: face}, models: [d], times: nan}\n",
        "both": "  - {when: {space: face, model: d}, models: [d], times: 2}\n  - {when: {}, models: [d], times: 2}\n",
        "shape": "  - 5\n  - [a]\n  - {when: [a], models: {a: b}, tasks: d, times: [1]}\n  -\n",
        "sequence": "  - {when: {model: s}, models: [s], times: 2}\n", "twice": "  - {when: {space: face}, times: 2, times: 3}\n",
        "open": "  - {when: {space: face}, models: [d\n",
    }
    for name, text in good.items():
        keep("rules", f"{name}.yaml", head + text)
    for name, text in broken.items():
        keep("rules", f"bad_{name}.yaml", head + text)
    keep("rules", "bad_empty.yaml", "")


# ---- images ----

def images():
    names = """420.jpg progressive.jpg restart.jpg cmyk.jpg grey.jpg turned_6.jpg rgba.png grey_16.png palette.png keyed.png
        one_bit.png turned.png clear.gif animated.gif lossy.webp lossless.webp clear.webp turned.webp palette.bmp
        one_bit.bmp lzw.tif one_bit.tif turned.tif 420.avif clear.avif soft.heic ten_bit.heic""".split()
    for name in names:
        keep("image", name, (DRAWN / name).read_bytes())
    for name in ("420.jpg", "rgba.png", "lossy.webp", "palette.bmp", "lzw.tif", "420.avif", "soft.heic"):
        data = bytearray((DRAWN / name).read_bytes())
        keep("image", "cut_" + name, bytes(data[:len(data) * 2 // 3]))
    damaged = bytearray((DRAWN / "420.jpg").read_bytes())
    damaged[-200:-180] = bytes(20)
    keep("image", "damaged.jpg", bytes(damaged))
    keep("image", "empty", b"")
    keep("image", "zeros", bytes(64))
    keep("image", "soi_only.jpg", b"\xff\xd8\xff\xd9")


if __name__ == "__main__":
    manifests()
    json_lines()
    stores()
    answers()
    rules()
    images()

# ---- lists of records ----

RECORDS = {
    "files": '{"item": "a", "image": "a.jpg", "sound": "a.wav", "text": "words"}\n\n{"item": "b", "image": "/x/b.png"}\n',
    "places": '{"item": "a", "image": {"file": "c.mp4", "at": 12.5}, "sound": {"file": "c.mp4", "from": 12, "to": 14.25}}\n'
              '{"item": "b", "image": {"file": "c.mp4", "frame": 7}, "text": {"file": "a.txt"}}\n'
              '{"item": "c", "image": "c.mp4#t=1:02:03.5", "sound": "c.mp4#t=npt:3,5"}\n',
    "video": '{"item": "a", "video": "c.mp4", "at": 3, "for": 1, "text": "\\u00fc"}\n{"item": "b", "video": "c.mp4"}',
    "bad_twice": '{"item": "a", "text": "x"}\n{"item": "a", "text": "y"}\n',
    "bad_key": '{"item": "a", "picture": "a.jpg"}\n',
    "bad_none": '{"item": "a"}\n',
    "bad_time": '{"item": "a", "image": "c.mp4#t=1e3"}\n',
    "bad_span": '{"item": "a", "sound": {"file": "a.wav", "from": 5, "to": 3}}\n',
    "bad_long": '{"item": "a", "sound": {"file": "a.wav", "to": 99999}}\n',
    "bad_json": '{"item": "a", "text": "x"\n',
    "bad_nul": '{"item": "a", "text": "x\\u0000"}\n',
    "bad_empty": "",
}
for name, lines in RECORDS.items():
    keep("records", f"{name}.jsonl", lines)

# ---- files of tensors: a header and the data after the line's end; the target puts the length before it ----

def tensor(dtype="F32", shape="[2]", offsets="[0, 8]"):
    return f'{{"dtype": "{dtype}", "shape": {shape}, "data_offsets": {offsets}}}'


TENSORS = {
    "all": '{"__metadata__": {"config": "{}", "\\u00e9": ""}, "a": ' + tensor() + ', "b": ' + tensor("F64", "[1, 1]", "[8, 16]")
           + ', "c": ' + tensor("I32", "[]", "[16, 20]") + ', "d": ' + tensor("I64", "[0, 4]", "[20, 20]") + ', "e": '
           + tensor("U8", "[2, 2]", "[20, 24]") + "}  \n" + "x" * 24,
    "turned": '{"a": ' + tensor(offsets="[8, 16]") + ', "b": ' + tensor() + "}\n" + "y" * 16,
    "odd": '{"a": ' + tensor("U8", "[1]", "[0, 1]") + ', "b": ' + tensor("F64", "[2]", "[1, 17]") + "}\n" + "z" * 17,
    "none": "{}\n", "bad_empty": "", "bad_short": "abc", "bad_length": b"\xff" * 8 + b"{}",
    "bad_gap": '{"a": ' + tensor(offsets="[4, 12]") + "}\n" + "x" * 12,
    "bad_over": '{"a": ' + tensor() + ', "b": ' + tensor() + "}\n" + "x" * 8,
    "bad_rest": '{"a": ' + tensor() + "}\n" + "x" * 9, "bad_size": '{"a": ' + tensor(shape="[3]") + "}\n" + "x" * 8,
    "bad_huge": '{"a": ' + tensor(shape="[4294967296, 4294967296, 4294967296]", offsets="[0, 0]") + "}\n",
    "bad_dtype": '{"a": ' + tensor("F16") + "}\n" + "x" * 8, "bad_twice": '{"a": {}, "a": {}}\n', "bad_json": '{"a"\n',
    "bad_number": '{"a": ' + tensor(shape="[2.0]") + "}\n" + "x" * 8, "bad_word": '{"__metadata__": {"a": 1}}\n',
    "bad_deep": '{"a": ' + "[" * 3000 + "\n", "whole": struct.pack("<Q", 8) + b"{}      ",
}
for name, text in TENSORS.items():
    keep("tensors", name, text)

# ---- policies: their words; behind an empty line their tensors, else those of static ----


def policy_model(name, kind, more=""):
    return (f'{{"name": "{name}", "kind": "{kind}", "input": "image"{more}, "threshold": 0.5, "empty": 0, "tolerance": 0, '
            '"priority": 1, "digest": "", "time_us": 1000, "memory_bytes": 7, "weights_bytes": 0, "load_us": 0, "more_us": 0}')


def stop(recall, price):
    return (f'{{"recall": {recall}, "price": {price}, "got": {recall}, "low": {recall}, "high": {recall}, '
            f'"time_ratio": {recall}}}')


def policy(models, lists="", methods=None, preferred="static", head='"version": 1'):
    methods = methods or f'{{"name": "static", "folds": 5, "stops": [{stop(0.3, 0.002)}, {stop(0.9, -1e-5)}, {stop(1, "null")}]}}'
    return (f'{{{head}, "seed": "1", "split": 20, "source": "", "items": 5, "trace": "00", "lists": [{lists}], "models": '
            f'[{models}], "methods": [{methods}], "preferred": "{preferred}"}}')


SKY = '{"space": "scene", "null": [1], "names": ["sky", "none", "sky"]}'
LETTERS = '{"space": null, "null": [], "names": ["a", "b"]}'
NUMBERS = "".join(f', "static.{name}": ' + tensor("F64", "[1]", f"[{8 * i}, {8 * i + 8}]")
                  for i, name in enumerate(["rate", "gain", "found"])).removeprefix(", ")
ONE = policy_model("m", "scalar")
POLICIES = {
    "one": policy(ONE), "none": policy(""),
    "kinds": policy(", ".join([policy_model("a", "labels", ', "list": 0'), policy_model("b", "detections"),
                               policy_model("c", "classes", ', "list": 0, "needs": "b"'),
                               policy_model("d", "sequence", ', "list": 1, "variant_of": "a"'), policy_model("e", "box"),
                               policy_model("f", "vector")]), f"{SKY}, {LETTERS}"),
    "tensors": policy(ONE) + "\n\n{" + NUMBERS + "}\n" + "\0" * 24,
    "bad_short": policy(ONE) + "\n\n{" + NUMBERS.replace("[1]", "[2]", 1) + "}\n" + "\0" * 24,
    "bad_nan": policy(ONE).encode() + b"\n\n{" + NUMBERS.encode() + b"}\n" + b"\xff" * 24,
    "bad_missing": policy(ONE) + "\n\n{}\n",
    "circle": policy(policy_model("a", "box", ', "needs": "b"') + ", " + policy_model("b", "box", ', "needs": "a"')),
    "bad_twice": policy(ONE + ", " + ONE), "bad_version": policy(ONE, head='"version": 2'),
    "bad_method": policy(ONE, methods='{"name": "magic", "folds": 5, "stops": []}'),
    "bad_preferred": policy(ONE, preferred="dqn"), "bad_list": policy(policy_model("a", "labels", ', "list": 1'), SKY),
    "bad_alphabet": policy(policy_model("a", "labels", ', "list": 0'), LETTERS),
    "bad_null": policy(ONE, SKY.replace("[1]", "[3]")), "bad_names": policy(ONE, SKY.replace('"sky"', "1")),
    "bad_need": policy(policy_model("a", "box", ', "needs": "x"')),
    "bad_stops": policy(ONE, methods='{"name": "static", "folds": 1, "stops": [' + stop(0.5, 1) + ", " + stop(0.4, 2) + "]}"),
    "bad_price": policy(ONE, methods='{"name": "static", "folds": 1, "stops": [' + stop(0.5, '"x"') + "]}"),
    "bad_numbers": policy(ONE.replace("1000", "1e99").replace("0.5", "1e999")), "bad_json": policy(ONE)[:-1],
    "bad_deep": '{"version": ' + "[" * 3000, "bad_seed": policy(ONE).replace('"1"', '"-"'), "bad_word": "{}",
    "networks": policy(ONE, methods='{"name": "value_net", "folds": 1, "stops": []}', preferred="value_net")
                + '\n\n{"value_net.n_nets": ' + tensor("I64", "[1]", "[0, 8]") + "}\n\1\0\0\0\0\0\0\0",
    "agent": policy(ONE, methods='{"name": "dqn", "folds": 1, "stops": []}', preferred="dqn")
             + '\n\n{"dqn.inputs": ' + tensor("I32", "[1]", "[0, 4]") + ', "dqn.executed_bits": ' + tensor("U8", "[1]", "[4, 5]")
             + ', "dqn.net.0.weight": ' + tensor("F32", "[1, 1]", "[5, 9]") + ', "dqn.net.0.bias": ' + tensor("F32", "[1]", "[9, 13]")
             + ', "dqn.net.1.weight": ' + tensor("F32", "[1, 2]", "[13, 21]") + ', "dqn.net.1.bias": '
             + tensor("F32", "[2]", "[21, 29]") + "}\n" + "\0" * 29,
}
for name, text in POLICIES.items():
    keep("policy", name, text)
