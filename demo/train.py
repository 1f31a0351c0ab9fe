# SPDX-License-Identifier: Apache-2.0
"""Trains the demo zoo's models on drawn scenes and writes demo/models/*.onnx.

    python demo/train.py [--only NAME ...] [--cache FILE.npz] [--scenes N]

Not part of the demo: the models are committed. Seeded and single-threaded; docs/demo.md says how to set it up.
Every model sees what the manifest will feed it: RGB, (value - 128) / 64, bilinear resizing as Pillow does it.
"""
import argparse
import io
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import nets
import scenes
import shapes

HERE = Path(__file__).resolve().parent
FIRST_SEED = 1_000_000  # held-out scenes and demo items have other seeds
WIDTH, HEIGHT = 160, 120


def draw_scenes(n):
    """Pixels (n, 120, 160, 3) and truths; half of the pixels have been through JPEG."""
    pixels, truths = np.empty((n, HEIGHT, WIDTH, 3), np.uint8), []
    for i in range(n):
        pixels[i], truth = scenes.draw(FIRST_SEED + i, (WIDTH, HEIGHT))
        if i % 2:
            jpeg = io.BytesIO()
            Image.fromarray(pixels[i]).save(jpeg, 'JPEG', quality=90)
            pixels[i] = np.asarray(Image.open(jpeg))
        truth['surfaces'] = truth['surfaces'][4::8, 4::8]  # (30, 40)
        truths.append(truth)
    return pixels, truths


def load_scenes(n, cache):
    if cache and cache.exists():
        with np.load(cache, allow_pickle=True) as f:
            if len(f['pixels']) >= n:
                return f['pixels'][:n], list(f['truths'][:n])
    pixels, truths = draw_scenes(n)
    if cache:
        np.savez(cache, pixels=pixels, truths=np.array(truths, object))
    return pixels, truths


def resized(pixels, width, height):
    if (width, height) == (WIDTH, HEIGHT):
        return pixels
    return np.stack([np.asarray(Image.fromarray(p).resize((width, height), Image.Resampling.BILINEAR)) for p in pixels])


def tensor(pixels):
    """uint8 (B, H, W, 3) to float (B, 3, H, W), as the manifest says it."""
    return torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2))).float().sub_(128).div_(64)


class Trainer:
    def __init__(self, pixels, truths):
        self.pixels, self.truths = pixels, truths
        self.small = {}

    def images(self, width, height):
        if (width, height) not in self.small:
            self.small[width, height] = resized(self.pixels, width, height)
        return self.small[width, height]

    def values(self, key, names):
        return torch.tensor([names.index(t[key]) for t in self.truths])

    def fit(self, net, images, targets, loss_of, epochs, batch=32, rate=3e-3, flip=True):
        """Adam with a rising and falling rate; targets: function of (indices, flipped) or a tensor."""
        n, rng = len(images), np.random.default_rng(7)
        optimiser = torch.optim.Adam(net.parameters(), lr=rate)
        steps = epochs * (n // batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.2)
        net.train()
        total = 0.0
        for step in range(steps):
            if step % (n // batch) == 0:
                order = rng.permutation(n)
            at = order[step % (n // batch) * batch:][:batch]
            mirror = flip and bool(rng.integers(2))
            x = tensor(images[at][:, :, ::-1] if mirror else images[at])
            y = targets(at, mirror) if callable(targets) else targets[at]
            loss = loss_of(net(x), y)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total = loss.item() if step == 0 else 0.98 * total + 0.02 * loss.item()
        return total


def export(name, net, width, height, inputs=3, outputs=('output',), free=None):
    net.eval()
    path = HERE / 'models' / f'{name}.onnx'
    path.parent.mkdir(exist_ok=True)
    torch.onnx.export(net, torch.zeros(1, inputs, height, width), str(path), opset_version=13,
                      input_names=['input'], output_names=list(outputs), dynamic_axes=free)
    return path.stat().st_size


# ---- classes, labels, numbers ----

def scene(t, name, size, net, epochs, form=nets.Softmax):
    loss = t.fit(net, t.images(*size), t.values('place', scenes.PLACES), F.cross_entropy, epochs)
    return loss, export(name, form(net), *size)


def scene_small(t):
    return scene(t, 'scene_small', (16, 12), nets.Laid([(6, 2), (8, 2)], 12, 7), 2)


def scene_large(t):
    net = nets.Laid([(24, 2), (32, 1), (48, 2), (64, 1), (64, 2), (48, 2), (16, 2)], 20, 7)
    return scene(t, 'scene_large', (WIDTH, HEIGHT), net, 2, nets.BothSides)


def weather(t):
    net = nets.Whole([(12, 1), (16, 2), (24, 2), (32, 2)], 6)
    loss = t.fit(net, t.images(80, 60), t.values('weather', scenes.WEATHER), F.cross_entropy, 6)
    return loss, export('weather', nets.Softmax(net), 80, 60)


def daytime(t):
    net = nets.Laid([(8, 2), (12, 2), (12, 2)], 12, 4)
    loss = t.fit(net, t.images(32, 24), t.values('daytime', scenes.DAYTIME), F.cross_entropy, 8)
    return loss, export('daytime', nets.Softmax(net), 32, 24)


def tags(t):
    """Learns where each thing is; the model keeps only whether it is anywhere."""
    names = shapes.OBJECTS
    net = nets.Map([(24, 2), (32, 1), (48, 2), (64, 1), (64, 1)], len(names))
    nn.init.constant_(net.head.bias, -4.0)
    cells = both_sides(t, 4, (80, 60), boxes_of_objects)

    def loss_of(y, z):
        owner = z[:, 4].long()
        there = F.one_hot(owner.clamp(min=0), len(names)).permute(0, 3, 1, 2) * (owner >= 0)[:, None]
        each = F.binary_cross_entropy_with_logits(y, there.float(), reduction='sum') / (owner >= 0).sum().clamp(min=1)
        return each + F.binary_cross_entropy_with_logits(y.amax((2, 3)), there.float().amax((2, 3)))
    loss = t.fit(net, t.images(80, 60), lambda at, mirror: torch.from_numpy(cells[mirror][at]), loss_of, 6)
    return loss, export('tags', nets.Anywhere(net), 80, 60)


def people_count(t):
    count = torch.tensor([[float(truth['people'])] for truth in t.truths])
    net = Counter()
    loss = t.fit(net, t.images(80, 60), count, F.smooth_l1_loss, 5)
    return loss, export('people_count', nets.Positive(net), 80, 60)


class Counter(nn.Module):
    """A count is a sum over the picture: a density map, added up."""

    def __init__(self):
        super().__init__()
        self.net = nets.Map([(16, 1), (24, 2), (32, 1), (48, 2), (48, 1), (32, 2), (32, 1)], 1)

    def forward(self, x):
        return F.softplus(self.net(x) - 3).sum((2, 3))


def visibility(t):
    value = torch.tensor([[truth['visibility']] for truth in t.truths])
    net = nets.Whole([(12, 1), (16, 2), (24, 2)], 1)
    loss = t.fit(net, t.images(40, 30), value, F.mse_loss, 8)
    return loss, export('visibility', nets.Positive(net), 40, 30)


def embedding(t):
    keys = (('place', scenes.PLACES), ('weather', scenes.WEATHER), ('daytime', scenes.DAYTIME))
    target = torch.stack([t.values(*k) for k in keys], 1)
    net = nets.Embedding([(16, 1), (24, 2), (32, 2), (48, 2)], [len(names) for _, names in keys])
    loss = t.fit(net, t.images(80, 60), target,
                 lambda y, z: sum(F.cross_entropy(p, z[:, i]) for i, p in enumerate(y)), 5)
    return loss, export('embedding', nets.Vector(net), 80, 60)


def surfaces(t):
    maps = np.stack([truth['surfaces'] for truth in t.truths]).astype(np.int64)
    net = nets.Map([(16, 1), (24, 2), (32, 1), (32, 1)], len(shapes.SURFACES))

    def target(at, mirror):
        return torch.from_numpy(np.ascontiguousarray(maps[at][:, :, ::-1] if mirror else maps[at]))
    loss = t.fit(net, t.images(80, 60), target, F.cross_entropy, 3)
    return loss, export('surfaces', net, 80, 60)


# ---- detectors ----

def grid_targets(boxes, stride, width, height):
    """What each cell should say: the 2 x 2 cells nearest to a box's centre are its own.

    boxes: [(class, x, y, w, h in [0, 1])]; returns (5, rows, columns): box numbers and class, -1 = nothing there."""
    columns, rows = -(-width // stride), -(-height // stride)
    out = np.zeros((5, rows, columns), np.float32)
    out[4] = -1
    for k, x, y, w, h in sorted(boxes, key=lambda b: -b[3] * b[4]):  # the small one wins a shared cell
        cx, cy = (x + w / 2) * width / stride, (y + h / 2) * height / stride
        for gx in (int(round(cx)) - 1, int(round(cx))):
            for gy in (int(round(cy)) - 1, int(round(cy))):
                if 0 <= gx < columns and 0 <= gy < rows:
                    out[:, gy, gx] = (cx - gx, cy - gy, np.log(w * width / stride), np.log(h * height / stride), k)
    return out


def overlap(p, q):
    """IoU of (N, 4) boxes as offset of the centre and log size, both from the same cell."""
    pw, ph, qw, qh = p[:, 2].exp(), p[:, 3].exp(), q[:, 2].exp(), q[:, 3].exp()
    w = (torch.min(p[:, 0] + pw / 2, q[:, 0] + qw / 2) - torch.max(p[:, 0] - pw / 2, q[:, 0] - qw / 2)).clamp(min=0)
    h = (torch.min(p[:, 1] + ph / 2, q[:, 1] + qh / 2) - torch.max(p[:, 1] - ph / 2, q[:, 1] - qh / 2)).clamp(min=0)
    return w * h / (pw * ph + qw * qh - w * h)


def grid_loss(y, z):
    owner = z[:, 4]
    mine = owner >= 0
    n = mine.sum().clamp(min=1)
    there = F.binary_cross_entropy_with_logits(y[:, 4], mine.float(), reduction='sum') / n
    p, q = y.permute(0, 2, 3, 1)[mine], z.permute(0, 2, 3, 1)[mine]
    box = F.smooth_l1_loss(p[:, :4], q[:, :4], reduction='sum') / n + 2 * (1 - overlap(p, q)).sum() / n
    kind = F.one_hot(owner[mine].long(), y.shape[1] - 5).float()
    return there + box + F.binary_cross_entropy_with_logits(p[:, 5:], kind, reduction='sum') / n


def boxes_of_objects(truth):
    return [(shapes.OBJECTS.index(o['label']), o['box']) for o in truth['objects']]


def both_sides(t, stride, size, boxes_of):
    """Grid targets of all scenes as they are, and mirrored."""
    return [np.stack([grid_targets([(k, 1 - x - w if mirrored else x, y, w, h) for k, (x, y, w, h) in boxes_of(truth)],
                                   stride, *size) for truth in t.truths]) for mirrored in (False, True)]


def detector(t, net, size, stride, boxes_of, epochs):
    cells = both_sides(t, stride, size, boxes_of)
    return t.fit(net, t.images(*size), lambda at, mirror: torch.from_numpy(cells[mirror][at]), grid_loss, epochs)


def objects(t):
    net = nets.Grid([(16, 2), (32, 2), (48, 1), (80, 2), (80, 1), (80, 1)], len(shapes.OBJECTS))
    loss = detector(t, net, (WIDTH, HEIGHT), 8, boxes_of_objects, 5)
    return loss, export('objects', nets.YoloxForm(net), WIDTH, HEIGHT)


def light_det(t):
    net = nets.Grid([(12, 2), (24, 2), (32, 2), (32, 1), (32, 1)], 1)
    loss = detector(t, net, (WIDTH, HEIGHT), 8, lambda truth: [
        (0, o['box']) for o in truth['objects'] if o['label'] == 'traffic_light'], 6)
    return loss, export('light_det', nets.YoloxForm(net), WIDTH, HEIGHT)


def face_det(t):
    net = nets.Grid([(16, 2), (24, 2), (32, 2), (48, 1), (48, 1)], 1)
    loss = detector(t, net, (80, 60), 8, lambda truth: [(0, f['box']) for f in truth['faces']], 6)
    return loss, export('face_det', nets.UltrafaceForm(net, 8, 80, 60), 80, 60, outputs=('scores', 'boxes'))


def sign_det(t):
    maps = np.zeros((len(t.truths), 30, 40), np.float32)
    for i, truth in enumerate(t.truths):
        for x, y, w, h in (o['box'] for o in truth['objects'] if o['label'] == 'sign'):
            maps[i, int(y * 30 + 0.5):int((y + h) * 30 + 0.5), int(x * 40 + 0.5):int((x + w) * 40 + 0.5)] = 1
    net = nets.Map([(12, 2), (24, 1), (32, 2), (32, 1), (32, 1)], 1)

    def target(at, mirror):
        return torch.from_numpy(np.ascontiguousarray(maps[at][:, :, ::-1] if mirror else maps[at]))[:, None]
    loss = t.fit(net, t.images(WIDTH, HEIGHT), target,
                 lambda y, z: F.binary_cross_entropy_with_logits(y, z, pos_weight=torch.tensor(3.0)), 5)
    return loss, export('sign_det', nets.MapForm(net, 4), WIDTH, HEIGHT)


# ---- models that look at a detection ----

def crops(t, boxes, width, height, expand=None, times=3):
    """Crops around jittered boxes, resized. boxes: [(scene, box, target)]; expand: square crops, else the box."""
    rng, out, targets = np.random.default_rng(11), [], []
    for i, (x, y, w, h), target in boxes * times:
        shift = rng.uniform(-0.08, 0.08, 4)
        x, y, w, h = (x + shift[0] * w) * WIDTH, (y + shift[1] * h) * HEIGHT, w * (1 + shift[2]) * WIDTH, \
            h * (1 + shift[3]) * HEIGHT
        if expand:
            side = max(w, h) * expand
            x, y, w, h = x + w / 2 - side / 2, y + h / 2 - side / 2, side, side
        image = Image.fromarray(t.pixels[i]).crop((int(x), int(y), int(x) + max(2, int(w)), int(y) + max(2, int(h))))
        out.append(np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)))
        targets.append(target)
    return np.stack(out), targets


def face_model(t, name, key, names, expand, epochs):
    boxes = [(i, f['box'], names.index(f[key])) for i, truth in enumerate(t.truths) for f in truth['faces']]
    images, targets = crops(t, boxes, 32, 32, expand)
    net = nets.Laid([(12, 1), (16, 2), (24, 2), (32, 2)], 16, len(names))
    loss = t.fit(net, images, torch.tensor(targets), F.cross_entropy, epochs)
    return loss, export(name, nets.Softmax(net), 32, 32)


def expression(t):
    return face_model(t, 'expression', 'expression', shapes.EXPRESSIONS, 1.1, 6)


def headwear(t):
    return face_model(t, 'headwear', 'headwear', shapes.HEADWEAR, 1.7, 6)


def light_state(t):
    boxes = [(i, o['box'], shapes.LIGHTS.index(o['state'])) for i, truth in enumerate(t.truths)
             for o in truth['objects'] if o['label'] == 'traffic_light']
    images, targets = crops(t, boxes, 16, 32)
    net = nets.Laid([(8, 2), (16, 2), (16, 2)], 8, len(shapes.LIGHTS))
    loss = t.fit(net, images, torch.tensor(targets), F.cross_entropy, 6)
    return loss, export('light_state', nets.Softmax(net), 16, 32)


def sign_reader(t):
    boxes = [(i, o['box'], o['text']) for i, truth in enumerate(t.truths) for o in truth['objects']
             if o['label'] == 'sign']
    images, texts = crops(t, boxes, 64, 24, times=8)
    lengths = torch.tensor([len(s) for s in texts])
    digits = torch.tensor([[int(s[k]) + 1 if k < len(s) else 0 for k in range(4)] for s in texts])
    grey = (images @ np.array([0.299, 0.587, 0.114]) + 0.5).astype(np.uint8)[..., None]
    net = nets.Reader()

    def loss_of(y, at):
        steps = torch.full((len(at),), y.shape[1])
        return F.ctc_loss(F.log_softmax(y, 2).permute(1, 0, 2), digits[at], steps, lengths[at], zero_infinity=True)
    loss = t.fit(net, grey, lambda at, mirror: at, loss_of, 6, flip=False)
    return loss, export('sign_reader', nets.Softmax(net), 64, 24, inputs=1,
                        free={'input': {3: 'width'}, 'output': {1: 'steps'}})


TRAINERS = [scene_small, scene_large, weather, daytime, tags, people_count, visibility, embedding, surfaces, objects,
            face_det, expression, headwear, light_det, light_state, sign_det, sign_reader]


def main():
    a = argparse.ArgumentParser(description='Train the models of the demo zoo.')
    a.add_argument('--only', nargs='+', choices=[f.__name__ for f in TRAINERS])
    a.add_argument('--cache', type=Path, help='keep the drawn scenes in this file (.npz)')
    a.add_argument('--scenes', type=int, default=6000)
    o = a.parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True, warn_only=True)
    start = time.process_time()
    t = Trainer(*load_scenes(o.scenes, o.cache))
    print(f'{len(t.truths)} scenes, {time.process_time() - start:.0f} s', flush=True)
    for train in TRAINERS:
        if o.only and train.__name__ not in o.only:
            continue
        torch.manual_seed(1)
        begin = time.process_time()
        loss, size = train(t)
        print(f'{train.__name__:14} loss {loss:7.4f}  {size / 1024:6.0f} KiB  {time.process_time() - begin:4.0f} s',
              flush=True)
    print(f'{time.process_time() - start:.0f} s in all')


if __name__ == '__main__':
    main()
