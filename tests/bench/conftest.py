"""The benchmark's own package is no part of the library: it is found by its folder."""

import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(autouse=True, scope="package")
def bench_on_the_path():
    places = [str(BENCH), str(BENCH / "peers" / "runners")]
    sys.path[:0] = places
    yield
    for place in places:
        sys.path.remove(place)
