import os

os.environ["HF_HUB_OFFLINE"] = "1"  # no test may reach for the network

import importlib.util
from pathlib import Path

import pytest
from hypothesis import settings

# the same examples at every run; to look for new ones: pytest --hypothesis-profile=default
settings.load_profile("ci")


@pytest.fixture(scope="session")
def tiny():
    """What makes tiny models and their puzzle (tests/learn/conftest.py), for tests of other layers."""
    spec = importlib.util.spec_from_file_location("tiny", Path(__file__).parent / "learn" / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cross_folder(tiny, tmp_path_factory):
    """A cross-encoder that has hardly learned."""
    from warmstart.data.toy import clusters
    from warmstart.learn.finetune import MODEL, Finetuning, Source, finetune
    from warmstart.learn.heads import HeadSettings
    from warmstart.learn.pairs import Pairing
    from warmstart.learn.ranking import Ranking
    from warmstart.learn.settings import Training, Tuning

    folder = tmp_path_factory.mktemp("cross")
    settings = Finetuning(
        source=Source(str(tiny.save_encoder(tmp_path_factory.mktemp("small"))), 48),
        tuning=Tuning("full"),
        training=Training(steps=3, batch=16, learning_rate=1e-2, validate_every=0, checkpoint_every=0),
        head=HeadSettings("feed_forward", "together", 16),
        pairing=Pairing(history=5, judged=50),
    )
    return finetune(clusters(seed=0), Ranking(negatives=3), folder, settings).folder / MODEL


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
