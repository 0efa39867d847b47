"""Several encoders read as one."""

import numpy as np

from warmstart.text.joined import JoinedEncoder
from warmstart.text.tfidf import TfidfEncoder

TEXTS = ["red robot", "blue robot", "green tea", "black tea"]


def parts():
    return TfidfEncoder.fit(TEXTS), TfidfEncoder.fit([*TEXTS, "white tea for a red robot"])


def test_likeness_is_the_mean_of_the_parts():
    a, b = parts()
    both = JoinedEncoder((a, b)).encode(TEXTS)
    assert both.dtype == np.float32
    assert both.shape == (4, a.dim + b.dim)
    expected = (a.encode(TEXTS) @ a.encode(TEXTS).T + b.encode(TEXTS) @ b.encode(TEXTS).T) / 2
    np.testing.assert_allclose(both @ both.T, expected, atol=1e-6)


def test_empty_texts_stay_zero():
    assert not JoinedEncoder(parts()).encode([""]).any()


def test_another_part_or_order_is_another_encoder():
    a, b = parts()
    prints = {JoinedEncoder(p).fingerprint for p in ((a,), (a, b), (b, a))}
    assert len(prints) == 3
