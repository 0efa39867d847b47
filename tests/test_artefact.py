"""Arrays in a folder: what goes in comes out, read-only, and large ones are shared and not copied."""

import numpy as np
import pytest

from warmstart.artefact import MAPPED, load_arrays, save_arrays

ARRAYS = {
    "empty": np.zeros((0, 4), np.float32),
    "scalar": np.array(3.5),
    "small": np.arange(6, dtype=np.int32).reshape(2, 3),
    "fortran": np.asfortranarray(np.arange(MAPPED, dtype=np.float32).reshape(256, -1)),
    "part.0.large": np.random.default_rng(0).random((300, 100)),
    "flags": np.array([True, False]),
    "words": np.array(["a", "三体"]),
}


@pytest.mark.parametrize("mapped", [0, MAPPED, 10**9])
def test_what_goes_in_comes_out_read_only(tmp_path, monkeypatch, mapped):
    monkeypatch.setattr("warmstart.artefact.MAPPED", mapped)
    save_arrays(tmp_path / "arrays", ARRAYS)
    found = load_arrays(tmp_path / "arrays")
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert type(found[name]) is np.ndarray
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)
        with pytest.raises(ValueError, match="read-only"):
            found[name][...] = array


def test_large_arrays_are_mapped_small_ones_are_read(tmp_path):
    save_arrays(tmp_path, ARRAYS)
    found = load_arrays(tmp_path)
    assert isinstance(found["part.0.large"].base, np.memmap)
    assert not isinstance(found["small"].base, np.memmap)


def test_objects_are_neither_written_nor_read(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        save_arrays(tmp_path, {"x": np.array([{}], object)})
    np.save(tmp_path / "x.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        load_arrays(tmp_path)
