"""Tables of eight bits: close to what they were, and themselves again after a folder."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from warmstart.artefact import load_arrays, pack, save_arrays, unpack
from warmstart.eight_bits import EightBits


def table(seed, n, m):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, m)) * (rng.random((n, m)) < 0.4) * 10.0 ** rng.integers(-3, 3, (n, 1))
    return sp.csr_matrix(values.astype(np.float32))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 6), m=st.integers(1, 9))
def test_no_entry_moves_by_more_than_half_a_step(seed, n, m):
    rows = table(seed, n, m)
    found = EightBits.of(rows)
    assert found.dtype == np.float32
    step = np.abs(rows).max(axis=1).toarray() / 127
    assert (np.abs(found - rows).toarray() <= 0.5001 * step).all()


def test_a_folder_keeps_a_byte_an_entry_and_gives_the_same_back(tmp_path):
    kept, arrays = EightBits.of(table(1, 50, 40)), {}
    described = pack(kept, {}, arrays, "weights")
    save_arrays(tmp_path, arrays)
    found = load_arrays(tmp_path)
    assert (found["weights.data"].dtype, found["weights.indices"].dtype) == (np.int8, np.uint16)
    again = unpack(described, {}, found)
    assert isinstance(again, EightBits)
    np.testing.assert_allclose(again.toarray(), kept.toarray(), rtol=1e-6)
    np.testing.assert_array_equal((again @ np.ones(40, np.float32)).shape, (50,))


def test_wide_tables_keep_their_columns(tmp_path):
    wide, arrays = sp.csr_matrix((np.ones(1, np.float32), ([0], [69_999])), shape=(1, 70_000)), {}
    described = pack(EightBits.of(wide), {}, arrays, "w")
    assert unpack(described, {}, arrays)[0, 69_999] == 1.0
