import os
import resource

import pytest
import torch
from safetensors.torch import save_file

from warmstart.errors import ArtefactError, TrainingError
from warmstart.learn.checkpoint import load_weights, optimiser_tensors, read_tensors, restore, write_tensors


@pytest.fixture
def full_disk():
    """No file of this process may grow beyond 4 KB: writing more fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_what_is_written_is_read(tmp_path):
    base = torch.arange(6.0).reshape(2, 3)
    tensors = {"a": base, "b": base.T, "half": base.bfloat16(), "scalar": torch.tensor(3)}
    write_tensors(tmp_path / "new" / "c.safetensors", tensors, {"steps": 3, "first": {"x": float("nan")}})
    found, note = read_tensors(tmp_path / "new" / "c.safetensors")
    assert found.keys() == tensors.keys()
    assert all(torch.equal(found[k], tensors[k]) for k in tensors)
    assert note["steps"] == 3
    assert os.listdir(tmp_path / "new") == ["c.safetensors"]


def test_weights_that_share_memory_are_written_apart(tmp_path):
    tied = torch.ones(4)
    write_tensors(tmp_path / "c.safetensors", {"a": tied, "b": tied}, {})
    found, _ = read_tensors(tmp_path / "c.safetensors")
    assert torch.equal(found["a"], found["b"])


def test_a_full_disk_leaves_the_previous_one(tmp_path, full_disk):
    path = tmp_path / "c.safetensors"
    write_tensors(path, {"a": torch.ones(10)}, {"steps": 1})
    with pytest.raises(TrainingError, match=r"could not be written .*the previous one is kept; free the disk"):
        write_tensors(path, {"a": torch.ones(10_000)}, {"steps": 2})
    found, note = read_tensors(path)
    assert note == {"steps": 1}
    assert torch.equal(found["a"], torch.ones(10))
    assert os.listdir(tmp_path) == ["c.safetensors"]
    with pytest.raises(TrainingError, match="nothing was there before"):
        write_tensors(tmp_path / "other", {"a": torch.ones(10_000)}, {})


def cut(path):
    path.write_bytes(path.read_bytes()[:-8])


def empty(path):
    path.write_bytes(b"")


def other(path):
    path.write_text("these are not weights")


def foreign(path):
    save_file({"a": torch.ones(3)}, path)


def folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("harm", [cut, empty, other, foreign, folder, lambda path: path.unlink()])
def test_a_file_that_is_damaged_or_not_ours_is_told(tmp_path, harm):
    path = tmp_path / "c.safetensors"
    write_tensors(path, {"a": torch.ones(3)}, {})
    harm(path)
    with pytest.raises(ArtefactError, match=r"c\.safetensors cannot be read .* remove it to begin anew"):
        read_tensors(path)


@pytest.mark.parametrize(
    "tensors",
    [
        {"a": torch.ones(3)},
        {"a": torch.ones(3), "b": torch.ones(3)},
        {"a": torch.ones(3), "b": torch.ones(2), "c": torch.ones(2)},
        {},
    ],
)
def test_another_model_is_refused_before_anything_changes(tensors):
    weights = {"a": torch.zeros(3), "b": torch.zeros(2)}
    with pytest.raises(ArtefactError, match=r"of another model: '[abc]' differs"):
        load_weights(weights, tensors)
    assert not any(w.any() for w in weights.values())


@pytest.mark.parametrize("kind", [torch.optim.AdamW, torch.optim.Adam, torch.optim.SGD])
def test_an_optimiser_goes_on_where_it_was(kind, tmp_path):
    def begin():
        weight = torch.nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))
        extra = {"momentum": 0.9} if kind is torch.optim.SGD else {}
        return weight, kind([weight], lr=0.1, **extra)

    def go(weight, optimiser, steps):
        for _ in range(steps):
            optimiser.zero_grad()
            (weight**4).sum().backward()
            optimiser.step()

    whole, optimiser = begin()
    go(whole, optimiser, 5)
    first, optimiser = begin()
    go(first, optimiser, 3)
    tensors = {"weights/w": first} | optimiser_tensors(optimiser, {id(first): "w"})
    write_tensors(tmp_path / "c", tensors, {})
    second, optimiser = begin()
    restore({"w": second}, optimiser, read_tensors(tmp_path / "c")[0])
    go(second, optimiser, 2)
    assert torch.equal(second, whole)
