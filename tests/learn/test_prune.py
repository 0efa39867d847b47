from dataclasses import replace

import numpy as np
import pytest

from warmstart.errors import ConfigError
from warmstart.learn.backbone import Backbone
from warmstart.learn.measure import megabytes, zipped_megabytes
from warmstart.learn.prune import linear_layers, make_permanent, mask_smallest, pruned, sparsity
from warmstart.learn.settings import Training
from warmstart.text.templates import item_texts

QUICK = Training(steps=25, batch=16, learning_rate=3e-3, validate_every=5, checkpoint_every=0)


def sizes(backbone):
    return [np.abs(m.weight.detach().numpy()) for m in linear_layers(backbone)]


@pytest.mark.parametrize("folder", ["encoder_folder", "decoder_folder"])
def test_the_smallest_of_all_go(folder, request):
    backbone = Backbone(request.getfixturevalue(folder))
    before = np.concatenate([w.ravel() for w in sizes(backbone)])
    names = [name for name, _ in backbone.parameters()]
    mask_smallest(backbone, 0.6)
    make_permanent(backbone)
    after = np.concatenate([w.ravel() for w in sizes(backbone)])
    assert sparsity(backbone) == pytest.approx(0.6, abs=1e-3)
    assert before[after == 0].max() <= before[after > 0].min()
    np.testing.assert_array_equal(after[after > 0], before[after > 0])
    assert sorted(name for name, _ in backbone.parameters()) == sorted(names)


def test_the_same_share_of_every_layer(encoder_folder):
    backbone = Backbone(encoder_folder)
    mask_smallest(backbone, 0.25, "layer")
    make_permanent(backbone)
    assert all(abs((w == 0).mean() - 0.25) < 1e-3 for w in sizes(backbone))


def test_recovery_keeps_zeros_and_brings_back_vectors(decoder_folder, puzzle, tmp_path):
    texts = item_texts(puzzle.catalog)
    vectors = Backbone(decoder_folder).encode(texts)
    bare = pruned(decoder_folder, 0.9, texts, vectors, None, tmp_path / "none")
    healed = pruned(decoder_folder, 0.9, texts, vectors, replace(QUICK, seed=1), tmp_path / "run")
    assert sparsity(healed) == pytest.approx(0.9, abs=1e-3)
    for a, b in zip(sizes(bare), sizes(healed), strict=True):
        np.testing.assert_array_equal(a == 0, b == 0)
    lost = [1 - (b.encode(texts) * vectors).sum(axis=1).mean() for b in (bare, healed)]
    assert lost[1] < lost[0] / 2


def test_zeros_show_in_the_zip_alone(encoder_folder, tmp_path):
    files = []
    for share in (0.01, 0.9):
        backbone = Backbone(encoder_folder)
        mask_smallest(backbone, share)
        make_permanent(backbone)
        files.append([backbone.save(tmp_path / str(share)) / "model.safetensors"])
    assert megabytes(files[0]) == megabytes(files[1])
    assert zipped_megabytes(files[1]) < 0.8 * zipped_megabytes(files[0])


@pytest.mark.parametrize("share", [0, 1, -0.5])
def test_nothing_and_everything_is_refused(encoder_folder, share):
    with pytest.raises(ConfigError, match="is not between 0 and 1"):
        mask_smallest(Backbone(encoder_folder), share)


def test_an_unknown_scope_is_refused(encoder_folder):
    with pytest.raises(ConfigError, match="scope='rows' is not known; choose one of global, layer"):
        mask_smallest(Backbone(encoder_folder), 0.5, "rows")
