"""What texts are worth, told by models that did not see their own value."""

import numpy as np
import pytest

from warmstart.errors import ConfigError, DataError
from warmstart.learn.settings import Training, Tuning
from warmstart.learn.worth import Worth, worth

pytest.importorskip("torch")
WORDS = ("space ship", "love comedy", "war soldier", "wooden doll")


@pytest.fixture(scope="module")
def settings(encoder_folder):
    training = Training(batch=16, learning_rate=3e-3, validate_every=0, checkpoint_every=0, precision="float32")
    return Worth(str(encoder_folder), epochs=8, tuning=Tuning("last", layers=1), training=training)


@pytest.fixture(scope="module")
def items():
    """Texts of four kinds, and a value by kind; the last eight are known by nothing else."""
    kind = np.arange(88) % 4
    texts = [f"the {WORDS[k]} of {'new' if n % 3 else 'old'} film" for n, k in enumerate(kind)]
    value = np.array([1.0, -1.0, 0.5, -0.5])[kind] + 3
    return texts, value, np.where(np.arange(88) < 80, 1.0, 0.0)


def test_kinds_of_text_are_told_apart_also_where_no_value_is_known(items, settings):
    texts, value, weight = items
    found = worth(texts, np.where(weight > 0, value, 0.0), weight, settings)
    assert np.corrcoef(found[:80], value[:80])[0, 1] > 0.8
    assert np.corrcoef(found[80:], value[80:])[0, 1] > 0.8
    assert abs(found.mean() - 3) < 0.3


def test_an_item_does_not_tell_its_own_value(items, settings):
    texts, value, weight = items
    before = worth(texts, value, weight, settings)
    changed = value.copy()
    changed[5] += 9.0
    after = worth(texts, changed, weight, settings)
    assert after[5] == before[5]
    assert (np.delete(after, 5) != np.delete(before, 5)).sum() > 30  # half of the others learned from it


def test_a_text_without_words_is_worth_what_all_are(items, settings):
    texts, value, weight = items
    found = worth(["", *texts[1:]], value, weight, settings)
    assert found[0] == pytest.approx(value[1:80].mean(), abs=0.05)


def test_mistakes_are_told(items, settings):
    texts, value, weight = items
    with pytest.raises(DataError, match=r"1 items have a text and ratings, 2 folds.*\[ratings.head\]"):
        worth(["", *texts[1:]], value, weight * (np.arange(88) < 2), settings)
    for wrong, said in (({"folds": 1}, "folds=1"), ({"epochs": 0.0}, "epochs=0"), ({"max_tokens": 0}, "max_tokens=0")):
        with pytest.raises(ConfigError, match=said):
            Worth(**wrong)
    with pytest.raises(ConfigError, match="steps=7"):
        Worth(training=Training(steps=7))
