import os

os.environ["HF_HUB_OFFLINE"] = "1"  # no test may reach for the network

import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Made things go to a folder of this session, never to the user's cache."""
    before = os.environ.get("WARMSTART_CACHE")
    os.environ["WARMSTART_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["WARMSTART_CACHE"]
    else:
        os.environ["WARMSTART_CACHE"] = before
