# SPDX-License-Identifier: Apache-2.0
"""The demo's scenes, items and models; the checks themselves live beside what they check, in demo/check_demo.py."""
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

DEMO = Path(__file__).resolve().parents[2] / 'demo'
sys.path.insert(0, str(DEMO))

from check_demo import (test_models_are_small, test_models_keep_their_promise,  # noqa: E402, F401
                        test_scenes_are_the_same_everywhere)


def draw(*words):
    return subprocess.run([sys.executable, str(DEMO / 'draw.py'), *map(str, words)], capture_output=True, text=True)


def test_items_are_drawn_in_both_formats(tmp_path):
    assert draw(tmp_path / 'items', 6).returncode == 0
    names = sorted(f.name for f in (tmp_path / 'items').iterdir())
    assert [n.split('.')[1] for n in names] == ['jpg', 'jpg', 'png', 'jpg', 'jpg', 'png']
    for name in names:
        with Image.open(tmp_path / 'items' / name) as image:
            assert image.mode == 'RGB' and image.width * 3 == image.height * 4 and image.width >= 160


def test_the_seed_decides(tmp_path):
    for folder, seed in (('a', 5), ('b', 5), ('c', 6)):
        assert draw(tmp_path / folder, 1, '--seed', seed).returncode == 0
    a, b, c = ((tmp_path / folder / 'scene_00000.jpg').read_bytes() for folder in 'abc')
    assert a == b != c


@pytest.mark.parametrize('count', [0, -1, 100_001])
def test_a_wrong_count_is_refused(tmp_path, count):
    got = draw('--seed', 1, '--', tmp_path / 'items', count)
    assert got.returncode == 1 and f'found {count}' in got.stderr and not (tmp_path / 'items').exists()
