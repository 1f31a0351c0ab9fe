# SPDX-License-Identifier: Apache-2.0
"""The small networks of the demo zoo: plain convolutions, each exported in the tensor form that its decoder reads."""
import torch
from torch import nn
from torch.nn import functional as F


def conv(i, o, stride=1, size=3):
    return nn.Sequential(nn.Conv2d(i, o, size, stride, size // 2, bias=False), nn.BatchNorm2d(o), nn.ReLU())


def stack(first, *steps):
    """Convolutions from `first` channels; a step (channels, stride) each."""
    layers, i = [], first
    for o, stride in steps:
        layers.append(conv(i, o, stride))
        i = o
    return nn.Sequential(*layers)


class Whole(nn.Module):
    """One vector for the whole picture: convolutions, mean and maximum over the pixels, one linear layer."""

    def __init__(self, steps, n, first=3):
        super().__init__()
        self.body = stack(first, *steps)
        self.head = nn.Linear(2 * steps[-1][0], n)

    def forward(self, x):
        y = self.body(x)
        return self.head(torch.cat([y.mean((2, 3)), y.amax((2, 3))], 1))


class Laid(nn.Module):
    """Where things are matters: convolutions, then a linear layer over all that is left of the picture."""

    def __init__(self, steps, cells, n, first=3):
        super().__init__()
        self.body = stack(first, *steps)
        self.head = nn.Linear(steps[-1][0] * cells, n)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


class Embedding(nn.Module):
    """16 numbers of length 1; trained with three linear classifiers on top that are thrown away."""

    def __init__(self, steps, classes):
        super().__init__()
        self.trunk = Whole(steps, 16)
        self.heads = nn.ModuleList(nn.Linear(16, n) for n in classes)

    def vector(self, x):
        return F.normalize(self.trunk(x), dim=1)

    def forward(self, x):
        v = self.vector(x) * 8
        return [head(v) for head in self.heads]


class Grid(nn.Module):
    """A detector: for each cell of a grid 4 box numbers, objectness, classes (all as logits)."""

    def __init__(self, steps, n_classes):
        super().__init__()
        self.body = stack(3, *steps)
        self.head = nn.Conv2d(steps[-1][0], 5 + n_classes, 1)
        nn.init.constant_(self.head.bias[4:], -4.0)

    def forward(self, x):
        return self.head(self.body(x))


class Map(nn.Module):
    """A class for each pixel, at a quarter or half of the input's size."""

    def __init__(self, steps, n):
        super().__init__()
        self.body = stack(3, *steps)
        self.head = nn.Conv2d(steps[-1][0], n, 1)

    def forward(self, x):
        return self.head(self.body(x))


class Reader(nn.Module):
    """(B, 1, 24, W) to (B, W / 4, 11): a step for each 4 columns; class 0 is blank."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(1, 16), conv(16, 24, 2), conv(24, 32), conv(32, 48, 2),
                                  nn.Conv2d(48, 48, (6, 3), 1, (0, 1), bias=False), nn.BatchNorm2d(48), nn.ReLU(),
                                  nn.Conv2d(48, 11, (1, 3), 1, (0, 1)))

    def forward(self, x):
        return self.body(x).squeeze(2).permute(0, 2, 1)


# ---- the form each decoder reads ----

class Softmax(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return torch.softmax(self.net(x), -1)


class BothSides(nn.Module):
    """Classes by the picture and its mirror image: twice the work, a little surer."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        mirrored = x.index_select(3, torch.arange(x.shape[3] - 1, -1, -1))
        return (torch.softmax(self.net(x), -1) + torch.softmax(self.net(mirrored), -1)) / 2


class Anywhere(nn.Module):
    """For each class the confidence of its surest cell."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return torch.sigmoid(self.net(x).amax((2, 3)))


class Positive(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return torch.relu(self.net(x))


class Vector(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net.vector(x)


class YoloxForm(nn.Module):
    """(1, N, 5 + C): raw box values, then objectness and classes as probabilities; rows by y, then x."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        y = self.net(x).flatten(2).permute(0, 2, 1)
        return torch.cat([y[..., :4], torch.sigmoid(y[..., 4:])], 2)


class UltrafaceForm(nn.Module):
    """Scores (1, N, 2), background first, and corner boxes (1, N, 4) as shares of the input."""

    def __init__(self, net, stride, width, height):
        super().__init__()
        self.net, self.stride = net, stride
        columns, rows = -(-width // stride), -(-height // stride)
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing='ij')
        self.register_buffer('origin', torch.stack([x, y]).float()[None])
        self.register_buffer('share', torch.tensor([stride / width, stride / height])[None, :, None, None])

    def forward(self, x):
        y = self.net(x)
        centre = (y[:, 0:2] + self.origin) * self.share
        half = torch.exp(y[:, 2:4]) * self.share / 2
        box = torch.cat([centre - half, centre + half], 1).flatten(2).permute(0, 2, 1)
        p = torch.sigmoid(y[:, 4:5]).flatten(2).permute(0, 2, 1)
        return torch.cat([1 - p, p], 2), box


class MapForm(nn.Module):
    """(1, 1, H, W) probabilities at the input's size."""

    def __init__(self, net, factor):
        super().__init__()
        self.net, self.factor = net, factor

    def forward(self, x):
        y = F.interpolate(self.net(x), scale_factor=self.factor, mode='bilinear', align_corners=False)
        return torch.sigmoid(y)
