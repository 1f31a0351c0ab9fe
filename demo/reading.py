# SPDX-License-Identifier: Apache-2.0
"""Reads demo/zoo.yaml and runs its models in plain Python: what `fewer` does, said a second time in NumPy.

The YAML reader knows the subset that the demo's manifest is written in: two levels of block mappings, flow
mappings and lists on one line, a list of models.
"""
import json
import re
import time
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

HERE = Path(__file__).resolve().parent


# ---- manifest ----

def value(text):
    """A scalar or a flow collection."""
    quoted = re.sub(r'"[^"]*"|[^\s{}\[\],:"]+', lambda m: m[0] if m[0][0] == '"' or number(m[0]) else f'"{m[0]}"', text)
    return json.loads(quoted) if text[0] in '{["' or number(text) else text


def number(text):
    return re.fullmatch(r'-?\d+(\.\d+)?', text) is not None


def manifest(path=HERE / 'zoo.yaml'):
    zoo, at = {}, None
    for line in path.read_text().splitlines():
        line = re.sub(r'(^|\s)#.*', '', line).rstrip()
        if not line:
            continue
        item, key, rest = re.fullmatch(r'( *(?:- )?)(\w+): ?(.*)', line).groups()
        if not item and not rest:
            at = zoo[key] = [] if key == 'models' else {}
            continue
        if '-' in item:
            zoo['models'].append({})
        (at[-1] if isinstance(at, list) and item else at if item else zoo)[key] = value(rest)
    return zoo


# ---- input ----

def crop_box(image, box, spec):
    """Pixels to look at: the box, or a square around it; outside the picture is black."""
    x, y, w, h = box[0] * image.width, box[1] * image.height, box[2] * image.width, box[3] * image.height
    if spec.get('crop', 'square') == 'square':
        side = max(w, h) * spec.get('expand', 1)
        x, y, w, h = x + w / 2 - side / 2, y + h / 2 - side / 2, side, side
    return image.crop((int(x), int(y), int(x) + max(2, int(w)), int(y) + max(2, int(h))))


def feed(image, spec, box=None):
    """A PIL image as the model's input tensor."""
    if box is not None:
        image = crop_box(image, box, spec)
    a = np.asarray(image.resize(tuple(spec['size']), Image.Resampling.BILINEAR), np.float32)
    if spec.get('colour') == 'GRAY':
        a = (a @ np.array([0.299, 0.587, 0.114], np.float32))[..., None]
    return ((a - spec['mean']) / spec['std']).transpose(2, 0, 1)[None].astype(np.float32)


# ---- output ----

def overlap(p, q):
    w = min(p[0] + p[2], q[0] + q[2]) - max(p[0], q[0])
    h = min(p[1] + p[3], q[1] + q[3]) - max(p[1], q[1])
    both = max(0, w) * max(0, h)
    return both / (p[2] * p[3] + q[2] * q[3] - both)


def inside(x0, y0, x1, y1):
    x0, y0, x1, y1 = (min(1, max(0, float(v))) for v in (x0, y0, x1, y1))
    return [x0, y0, x1 - x0, y1 - y0]


def suppress(found, limit):
    """found: [(confidence, label, box)]; the best first, no two of a label on the same place."""
    kept = []
    for f in sorted(found, key=lambda f: -f[0]):
        if not any(k[1] == f[1] and overlap(k[2], f[2]) > limit for k in kept):
            kept.append(f)
    return kept


def yolox(outputs, spec, size):
    rows, stride, found = outputs[0][0], spec['strides'][0], []
    columns = size[0] // stride
    for i, row in enumerate(rows):
        for k, p in enumerate(row[4] * row[5:]):
            if p > spec['keep']:
                x, y = (row[0] + i % columns) * stride / size[0], (row[1] + i // columns) * stride / size[1]
                w, h = np.exp(row[2]) * stride / size[0], np.exp(row[3]) * stride / size[1]
                found.append((float(p), k, inside(x - w / 2, y - h / 2, x + w / 2, y + h / 2)))
    return suppress(found, spec.get('iou', 0.45))


def ultraface(outputs, spec, size):
    scores, boxes = outputs[0][0], outputs[1][0]
    found = [(float(p[1]), 0, inside(*b)) for p, b in zip(scores, boxes) if p[1] > spec['keep']]
    return suppress(found, spec['iou'])


def regions(outputs, spec, size):
    """Connected pixels above the threshold, grown by `unclip`; the largest first."""
    p, found = outputs[0][0, 0], []
    left = p > spec['mask_threshold']
    height, width = p.shape
    for start in zip(*np.nonzero(left)):
        if not left[start]:
            continue
        left[start], todo, pixels = False, [start], []
        while todo:
            y, x = todo.pop()
            pixels.append((y, x))
            for q in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if 0 <= q[0] < height and 0 <= q[1] < width and left[q]:
                    left[q] = False
                    todo.append(q)
        ys, xs = np.array(pixels).T
        mean, n = float(p[ys, xs].mean()), len(pixels)
        if n >= spec['region_pixels'] and mean >= spec.get('region_mean', 0.6):
            w, h = xs.max() - xs.min() + 1, ys.max() - ys.min() + 1
            grow = n * spec['unclip'] / (2 * (w + h))
            found.append((mean, 0, inside((xs.min() - grow) / width, (ys.min() - grow) / height,
                                          (xs.max() + 1 + grow) / width, (ys.max() + 1 + grow) / height)))
    return sorted(found, key=lambda f: -f[0])


def ctc(outputs, spec, size):
    best, text, last = outputs[0][0].argmax(1), '', 0
    for k in best:
        if k and k != last:
            text += str(k - 1)
        last = k
    return text


def seg_share(outputs, spec, size):
    best = outputs[0][0].argmax(0)
    return np.bincount(best.ravel(), minlength=outputs[0].shape[1]) / best.size


def values(outputs, spec, size):
    return outputs[0].ravel()


DECODERS = {'values': values, 'yolox': yolox, 'ultraface': ultraface, 'regions': regions, 'ctc': ctc,
            'seg-share': seg_share}


# ---- models ----

class Model:
    def __init__(self, spec, zoo):
        self.name, self.input, self.output, self.needs = spec['name'], spec['input'], spec['output'], spec.get('needs')
        self.kind = self.output['kind']
        self.labels = zoo['labels'][self.output['labels']]['names'] if 'labels' in self.output else []
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(HERE / spec['file']), options,
                                                    providers=['CPUExecutionProvider'])
        self.tensors = self.output.get('tensors')
        self.seconds = []  # of each run, feeding and reading left out

    def run(self, tensor):
        start = time.perf_counter()
        outputs = self.session.run(self.tensors, {self.session.get_inputs()[0].name: tensor})
        self.seconds.append(time.perf_counter() - start)
        return outputs

    def __call__(self, image, box=None):
        decode = DECODERS[self.output.get('decode', 'values')]
        return decode(self.run(feed(image, self.input, box)), self.output, self.input['size'])


def load():
    """The demo zoo's models by name, in the manifest's order."""
    zoo = manifest()
    return {spec['name']: Model(spec, zoo) for spec in zoo['models']}
