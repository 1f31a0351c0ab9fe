# SPDX-License-Identifier: Apache-2.0
"""Draws demo items: python demo/draw.py OUT_DIR N [--seed S]. Two of three are JPEG, the rest PNG."""
import argparse
import sys
from pathlib import Path

from PIL import Image

import scenes


def main():
    a = argparse.ArgumentParser(description='Draw N scenes of the demo world into a folder.')
    a.add_argument('folder', type=Path)
    a.add_argument('count', type=int)
    a.add_argument('--seed', type=int, default=2_000_000, help='of the first scene (default %(default)s)')
    o = a.parse_args()
    if not 1 <= o.count <= 100_000:
        sys.exit(f'draw.py: N must be 1 to 100000, found {o.count}')
    o.folder.mkdir(parents=True, exist_ok=True)
    for i in range(o.count):
        pixels, _ = scenes.draw(o.seed + i)
        image, name = Image.fromarray(pixels), f'scene_{i:05d}'
        if i % 3 == 2:
            image.save(o.folder / f'{name}.png', compress_level=3)
        else:
            image.save(o.folder / f'{name}.jpg', quality=90)


if __name__ == '__main__':
    main()
