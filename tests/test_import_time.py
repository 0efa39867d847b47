"""``import warmstart`` is quick and brings nothing heavy along."""

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "matplotlib", "sklearn", "scipy", "polars", "lightgbm", "onnxruntime", "transformers", "implicit")
PROBE = """
import json, sys, time
start = time.process_time()
import {module}
seconds = time.process_time() - start
print(json.dumps([seconds, [m for m in {heavy} if m in sys.modules]]))
"""


def probe(module):
    code = PROBE.format(module=module, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_import_takes_less_than_half_a_second():
    seconds, heavy = min(probe("warmstart") for _ in range(3))
    assert seconds < 0.5
    assert heavy == []


@pytest.mark.parametrize("module", ["warmstart.engine", "warmstart.evaluate.run"])
def test_engine_and_evaluation_come_without_torch(module):
    assert not {"torch", "matplotlib", "transformers"} & set(probe(module)[1])


def test_the_surface_is_what_it_says():
    code = "import warmstart as ws; print([callable(getattr(ws, n)) for n in ('read', 'Engine', 'load', 'evaluate')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([True] * 4)
