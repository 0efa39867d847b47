import json

import numpy as np
import pytest

from warmstart.errors import ArtefactError, ConfigError
from warmstart.learn.truncate import project, truncate
from warmstart.text.choose import encoder_from_name, encoder_from_spec
from warmstart.text.onnx import OnnxEncoder
from warmstart.text.onnx_export import export_onnx
from warmstart.text.templates import item_texts
from warmstart.text.transformer import TransformerEncoder
from warmstart.text.whiten import unit_rows


@pytest.fixture(scope="module")
def texts(puzzle):
    return item_texts(puzzle.catalog)


@pytest.fixture(scope="module")
def whole(encoder_folder, tmp_path_factory):
    return OnnxEncoder(export_onnx(encoder_folder, tmp_path_factory.mktemp("onnx") / "whole", int8=False))


@pytest.fixture
def folder(whole, tmp_path):
    whole.save(tmp_path / "short")
    return tmp_path / "short"


@pytest.mark.parametrize("kind", ["encoder_folder", "decoder_folder"])
@pytest.mark.parametrize("int8", [True, False])
def test_encoders_and_decoders_are_exported(kind, int8, request, tmp_path, texts):
    source = request.getfixturevalue(kind)
    encoder = encoder_from_name(str(export_onnx(source, tmp_path / "out", int8)))
    same = (encoder.encode(texts) * TransformerEncoder(source).encode(texts)).sum(axis=1)
    assert same.min() > (0.99 if int8 else 0.99999)
    assert json.loads((tmp_path / "out" / "encoder.json").read_text())["int8"] is int8
    assert (b"MatMulInteger" in (tmp_path / "out" / "model.onnx").read_bytes()) is int8


def test_the_first_dimensions_at_length_one(whole, folder, texts):
    truncate(folder, 8)
    short = encoder_from_name(str(folder))
    assert short.dim == 8
    np.testing.assert_allclose(short.encode(texts), unit_rows(whole.encode(texts)[:, :8]), atol=1e-6)


def test_principal_directions_keep_what_differs(whole, folder, texts):
    vectors = whole.encode(texts)
    project(folder, 8, vectors)
    got = encoder_from_name(str(folder)).encode([*texts, ""])
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    expected = unit_rows(centred @ directions[:8].T)
    np.testing.assert_allclose(got[:-1] @ got[:-1].T, expected @ expected.T, atol=1e-4)
    assert not got[-1].any()


def test_a_shortened_encoder_is_another_one_and_comes_back(whole, folder, texts, tmp_path):
    prints = {whole.fingerprint}
    truncate(folder, 8)
    prints.add(OnnxEncoder(folder).fingerprint)
    whole.save(tmp_path / "other")
    project(tmp_path / "other", 8, whole.encode(texts))
    short = OnnxEncoder(tmp_path / "other")
    prints.add(short.fingerprint)
    assert len(prints) == 3
    short.save(tmp_path / "kept")
    again = encoder_from_spec(short.spec(), tmp_path / "kept")
    np.testing.assert_array_equal(again.encode(texts[:4]), short.encode(texts[:4]))


def test_a_changed_projection_is_refused(whole, folder, texts):
    project(folder, 8, whole.encode(texts))
    with (folder / "projection.npz").open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtefactError, match=r"projection\.npz was changed"):
        OnnxEncoder(folder)


@pytest.mark.parametrize("dim", [0, 32, 500])
def test_lengths_that_shorten_nothing_are_refused(folder, dim):
    with pytest.raises(ConfigError, match="is not below 32, the length of the model's vectors; give 1 to 31"):
        truncate(folder, dim)


def test_an_encoder_is_shortened_once(folder):
    truncate(folder, 8)
    with pytest.raises(ConfigError, match="shortened already"):
        truncate(folder, 4)


def test_few_texts_span_few_directions(whole, folder, texts):
    with pytest.raises(ConfigError, match="3 texts span 2 directions"):
        project(folder, 8, whole.encode(texts[:3]))
