# SPDX-License-Identifier: Apache-2.0
"""The example of a worker, asked as Fewer asks: docs/worker.md."""
import base64
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

np = pytest.importorskip('numpy')
pytest.importorskip('sklearn', reason='scikit-learn is not installed')

EXAMPLE = Path(__file__).resolve().parents[2] / 'examples' / 'worker'
TINTS = {'dark': (20, 30, 25), 'light': (235, 230, 240), 'red': (190, 60, 50), 'green': (40, 170, 70), 'blue': (50, 60, 200)}


def ask(worker, line):
    worker.stdin.write(json.dumps(line) + '\n')
    worker.stdin.flush()
    return json.loads(worker.stdout.readline())


@pytest.fixture(scope='module')
def worker():
    process = subprocess.Popen([sys.executable, str(EXAMPLE / 'tint_worker.py')], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    ready = ask(process, {'fewer': 1, 'model': 'tint', 'shape': [1, 3, 32, 32], 'batch': 16, 'outputs': []})
    assert ready['ready'] == 1 and ready['version'].startswith('scikit-learn ')
    yield process
    process.stdin.close()
    assert process.wait(timeout=60) == 0


def request(number, colours):
    pictures = np.array(colours, '<f4').reshape(-1, 3, 1, 1) / 255 * np.ones((1, 1, 32, 32), '<f4')
    return {'id': number, 'shape': list(pictures.shape), 'data': base64.b64encode(pictures.astype('<f4')).decode()}


def names():
    return re.search(r'names: \[(.*)\]', (EXAMPLE / 'zoo.yaml').read_text()).group(1).split(', ')


def test_it_sees_the_tint(worker):
    assert names() == list(TINTS)
    for number, (name, colour) in enumerate(TINTS.items(), 1):
        answer = ask(worker, request(number, [colour]))
        assert answer['id'] == number
        assert names()[int(np.argmax(answer['output']))] == name
        assert abs(sum(answer['output']) - 1) < 1e-9


def test_it_takes_batches(worker):
    answer = ask(worker, request(77, list(TINTS.values())))
    shares = np.reshape(answer['output'], (len(TINTS), len(TINTS)))
    assert [names()[k] for k in shares.argmax(axis=1)] == list(TINTS)
