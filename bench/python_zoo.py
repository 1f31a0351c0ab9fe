# SPDX-License-Identifier: Apache-2.0
"""A plain Python loop over the photo zoo: onnxruntime, NumPy and Pillow, as one would write it. The peer of
label_vs_python; it follows the zoo's own description (zoo.json), not our manifest."""

import json
import pathlib
import time

import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def nms(boxes, scores, limit):
    """boxes (N, 4) corners; indices of the kept ones by falling score."""
    order, kept = np.argsort(-scores, kind="stable"), []
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    while order.size:
        i, rest = order[0], order[1:]
        kept.append(i)
        w = np.minimum(boxes[i, 2], boxes[rest, 2]) - np.maximum(boxes[i, 0], boxes[rest, 0])
        h = np.minimum(boxes[i, 3], boxes[rest, 3]) - np.maximum(boxes[i, 1], boxes[rest, 1])
        inter = np.maximum(w, 0) * np.maximum(h, 0)
        order = rest[inter <= limit * (area[i] + area[rest] - inter)]
    return kept


def best_box(boxes, scores, keep):
    chosen = scores > keep
    boxes, scores = boxes[chosen], scores[chosen]
    return boxes[nms(boxes, scores, 0.4)[0]].clip(0, 1) if len(scores) else None


def grid(side):
    y, x = np.divmod(np.arange(side * side), side)
    return x, y


def decode(model, outputs, image, placed):
    """The output of one model: an array, a box (x0, y0, x1, y1) or None, a string, a list of regions."""
    kind, o = model["decode"], outputs
    if kind == "labels":
        return o[0].ravel().clip(0, 1)
    if kind == "labels_softmax":
        return softmax(o[0].ravel(), 0)
    if kind == "yolox":
        return (o[0][0, :, 4:5] * o[0][0, :, 5:]).max(axis=0)
    if kind == "max_classes":
        return np.max([t.reshape(-1, t.shape[-1]).max(axis=0) for t in o], axis=0)
    if kind == "fastestdet":
        flat = o[0].reshape(85, -1)
        return (flat[0] ** 0.6 * flat[5:] ** 0.4).max(axis=1)
    if kind == "fastestv2":
        return (o[0][:, 12:15].max(axis=1, keepdims=True) * o[0][:, 15:]).max(axis=0)
    if kind == "ultraface":
        return best_box(o[1][0], o[0][0, :, 1], 0.7)
    if kind == "yunet":
        return decode_yunet(o, placed["width"])
    if kind == "yolox_person":
        return decode_person(o[0][0], image, placed)
    if kind == "seg_labels":
        p = np.sort(softmax(o[0].reshape(-1, model["output"]["classes"]), 1), axis=0)
        return p[-max(1, round(len(p) * 0.01)):].mean(axis=0)
    if kind == "seg_share":
        best = o[0].reshape(-1, model["output"]["classes"]).argmax(axis=1)
        return np.bincount(best, minlength=model["output"]["classes"]) / best.size
    if kind == "mask_scalar":
        return (o[0] > 0.5).mean()
    if kind == "textdet":
        return regions(o[0][0, 0])
    if kind == "ctc":
        return decode_text(o[0][0], model["alphabet_list"])
    if kind == "movenet":
        return o[0][0, 0, :, 2].clip(0, 1)
    return o[0].ravel()[:3]  # age, scalar3


def decode_yunet(o, side):
    boxes, scores = [], []
    for k, stride in enumerate((8, 16, 32)):
        x, y = grid(side // stride)
        scores.append(np.sqrt(o[k].ravel().clip(0, 1) * o[3 + k].ravel().clip(0, 1)))
        b = o[6 + k][0]
        cx, cy = (x + b[:, 0]) * stride, (y + b[:, 1]) * stride
        w, h = np.exp(b[:, 2]) * stride, np.exp(b[:, 3]) * stride
        boxes.append(np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1) / side)
    return best_box(np.concatenate(boxes), np.concatenate(scores), 0.6)


def decode_person(rows, image, placed):
    boxes, at = [], 0
    for stride in (8, 16, 32):
        side = placed["width"] // stride
        x, y = grid(side)
        d = rows[at:at + side * side]
        at += side * side
        cx, cy = (d[:, 0] + x) * stride, (d[:, 1] + y) * stride
        w, h = np.exp(d[:, 2]) * stride, np.exp(d[:, 3]) * stride
        boxes.append(np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=1))
    size = np.array([image.width, image.height, image.width, image.height]) * placed["scale"]
    return best_box(np.concatenate(boxes) / size, rows[:, 4] * rows[:, 5], 0.3)


def regions(p):
    """Connected regions of the probability map: (pixels, x0, y0, x1, y1) by falling size."""
    height, width = p.shape
    todo, found = set(np.flatnonzero(p >= 0.3).tolist()), []
    flat = p.ravel()
    while todo:
        stack = [todo.pop()]
        members = []
        while stack:
            j = stack.pop()
            members.append(j)
            x = j % width
            near = (j - 1 if x else -1, j + 1 if x < width - 1 else -1, j - width, j + width)
            for q in near:
                if q in todo:
                    todo.remove(q)
                    stack.append(q)
        n = len(members)
        if n < 16 or flat[members].mean() < 0.6:
            continue
        ys, xs = np.divmod(members, width)
        x0, x1, y0, y1 = xs.min(), xs.max(), ys.min(), ys.max()
        grow = n * 1.5 / (2 * (x1 - x0 + 1 + y1 - y0 + 1))
        box = np.array([(x0 - grow) / width, (y0 - grow) / height, (x1 + 1 + grow) / width, (y1 + 1 + grow) / height])
        found.append((n, *box.clip(0, 1)))
    return sorted(found, key=lambda r: -r[0])


def decode_text(steps, alphabet):
    best = steps.argmax(axis=1)
    kept = [b for k, b in enumerate(best) if b and (k == 0 or b != best[k - 1])]
    return "".join(alphabet[b - 1] for b in kept)


class Zoo:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        described = json.loads((self.root / "zoo.json").read_text())["models"]
        self.models = [m for m in described if m["input"]["modality"] == "image"]
        self.models.sort(key=lambda m: "needs" in m)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        for m in self.models:
            m["session"] = ort.InferenceSession(str(self.root / m["file"]), options, providers=["CPUExecutionProvider"])
            if "alphabet" in m:
                m["alphabet_list"] = (self.root / m["alphabet"]).read_text().removesuffix("\n").split("\n")

    def crop(self, image, model, needed):
        """What the model looks at, or None where its need found nothing."""
        inp = model["input"]
        if inp.get("crop") == "square":
            if needed is None:
                return None
            x0, y0, x1, y1 = needed * [image.width, image.height, image.width, image.height]
            side = max(x1 - x0, y1 - y0) * inp.get("expand", 1)
            cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
            left, top = int(cx - side / 2), int(cy - side / 2)
            return image.crop((left, top, left + max(2, int(side)), top + max(2, int(side))))
        if not needed:
            return None
        w, h = image.size
        wide = [r for r in needed if (r[3] - r[1]) * w > 0.8 * (r[4] - r[2]) * h]
        _, x0, y0, x1, y1 = (wide or needed)[0]
        left, top = int(x0 * w), int(y0 * h)
        return image.crop((left, top, left + max(2, int((x1 - x0) * w)), top + max(2, int((y1 - y0) * h))))

    def tensor(self, image, inp):
        height, width = (inp["shape"][1:3] if inp["layout"] == "NHWC" else inp["shape"][2:4])
        scale = 1.0
        if inp["resize"] == "height":
            width = max(inp["min_w"], min(inp["max_w"], -(-image.width * height // image.height // 8) * 8))
        if inp["resize"].startswith("letterbox"):
            scale = min(width / image.width, height / image.height)
            w, h = round(image.width * scale), round(image.height * scale)
            canvas = Image.new("RGB", (width, height), (inp.get("pad", 0),) * 3)
            centre = inp["resize"] == "letterbox-centre"
            canvas.paste(image.resize((w, h), Image.BILINEAR), ((width - w) // 2, (height - h) // 2) if centre else (0, 0))
            image = canvas
        else:
            image = image.resize((width, height), Image.BILINEAR)
        pixels = np.asarray(image, dtype=np.float32)
        if inp["color"] == "GRAY":
            pixels = (pixels @ np.array([0.299, 0.587, 0.114], dtype=np.float32))[..., None]
        elif inp["color"] == "BGR":
            pixels = pixels[..., ::-1]
        pixels = (pixels - np.array(inp.get("mean", 0), np.float32)) / np.array(inp.get("std", 1), np.float32)
        if inp["layout"] == "NCHW":
            pixels = pixels.transpose(2, 0, 1)
        return np.ascontiguousarray(pixels[None]), {"width": width, "scale": scale}

    def run(self, path):
        """All models on one photograph: ({model: output}, seconds in all, seconds inside the runtime)."""
        start, inside, said = time.perf_counter(), 0.0, {}
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        for m in self.models:
            part = self.crop(image, m, said[m["needs"]]) if "needs" in m else image
            if part is None:
                said[m["name"]] = None
                continue
            x, placed = self.tensor(part, m["input"])
            t = time.perf_counter()
            outputs = m["session"].run(m["output"]["names"], {m["input"]["name"]: x})
            inside += time.perf_counter() - t
            said[m["name"]] = decode(m, outputs, image, placed)
        return said, time.perf_counter() - start, inside
