import logging
import sqlite3

import numpy as np
import pytest

from warmstart.text.cache import FLUSH, CachedEncoder
from warmstart.text.weights import fingerprint_of


class Counting:
    """Four numbers from the text's hash; remembers what it was asked."""

    dim = 4

    def __init__(self, fingerprint="a", fail_after=None):
        self.fingerprint, self.asked, self.fail_after = fingerprint, [], fail_after

    def encode(self, texts):
        if self.fail_after is not None and len(self.asked) >= self.fail_after:
            raise KeyboardInterrupt
        self.asked += texts
        raw = [list(bytes.fromhex(fingerprint_of(self.fingerprint, t)[:8])) for t in texts]
        x = np.array(raw, np.float32).reshape(-1, 4) + 1
        return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_nothing_is_encoded_twice(tmp_path):
    first, second = Counting(), Counting()
    z = CachedEncoder(first, tmp_path).encode(["a", "b", "a", ""])
    assert sorted(first.asked) == ["a", "b"]
    np.testing.assert_array_equal(CachedEncoder(second, tmp_path).encode(["a", "b", "a", ""]), z)
    assert second.asked == []
    np.testing.assert_array_equal(z[0], first.encode(["a"])[0])


def test_another_encoder_never_sees_these_vectors(tmp_path):
    CachedEncoder(Counting("a"), tmp_path).encode(["x"])
    other = Counting("b")
    np.testing.assert_array_equal(CachedEncoder(other, tmp_path).encode(["x"]), Counting("b").encode(["x"]))
    assert other.asked == ["x"]


def test_interrupted_runs_are_taken_up(tmp_path):
    texts = [f"t{i}" for i in range(3 * FLUSH)]
    with pytest.raises(KeyboardInterrupt):
        CachedEncoder(Counting(fail_after=2 * FLUSH), tmp_path).encode(texts)
    rest, told = Counting(), []
    CachedEncoder(rest, tmp_path, progress=lambda done, total: told.append((done, total))).encode(texts)
    assert len(rest.asked) == FLUSH
    assert told == [(FLUSH, FLUSH)]


def test_damaged_vectors_are_made_again(tmp_path):
    cached = CachedEncoder(Counting(), tmp_path)
    z = cached.encode(["a", "b"])
    db = sqlite3.connect(cached.path)
    with db:
        db.execute("UPDATE vectors SET vector = zeroblob(16)")
    db.close()
    again = Counting()
    np.testing.assert_array_equal(CachedEncoder(again, tmp_path).encode(["a", "b"]), z)
    assert len(again.asked) == 2


@pytest.mark.parametrize("garbage", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_file_is_replaced(tmp_path, garbage, caplog):
    cached = CachedEncoder(Counting(), tmp_path)
    cached.path.write_bytes(garbage)
    with caplog.at_level(logging.WARNING):
        z = cached.encode(["a"])
    assert "damaged" in caplog.text
    again = Counting()
    np.testing.assert_array_equal(CachedEncoder(again, tmp_path).encode(["a"]), z)
    assert again.asked == []


def test_a_folder_that_cannot_be_made_costs_no_answer(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    z = CachedEncoder(Counting(), tmp_path / "file" / "below").encode(["a"])
    np.testing.assert_array_equal(z, Counting().encode(["a"]))
    assert "cannot be used" in caplog.text
