import numpy as np
import pytest
import scipy.sparse as sp

from warmstart.errors import ArtefactError, DataError
from warmstart.learn.backbone import Backbone
from warmstart.learn.quantise import overlap
from warmstart.learn.static_distil import (
    StaticDistillation,
    TokenTable,
    distil_static,
    fit_table,
    known_tokens,
    start_table,
    token_counts,
    token_vectors,
)
from warmstart.text.choose import encoder_from_name, encoder_from_spec
from warmstart.text.static_table import StaticTable, write_table
from warmstart.text.templates import item_texts


@pytest.fixture(scope="module")
def texts(puzzle):
    return item_texts(puzzle.catalog)


@pytest.fixture(scope="module", params=["encoder_folder", "decoder_folder"])
def teacher(request):
    return Backbone(request.getfixturevalue(request.param))


@pytest.fixture(scope="module")
def table(encoder_folder, texts, tmp_path_factory):
    teacher = Backbone(encoder_folder)
    return distil_static(teacher, texts, teacher.encode(texts), tmp_path_factory.mktemp("static") / "table")


def test_a_token_alone_is_a_text_of_one_word(teacher):
    words = ["space", "toy", "love"]
    ids = np.array([teacher.tokenizer(w, add_special_tokens=False)["input_ids"][0] for w in words])
    expected = teacher.vectors(words).detach().numpy()
    np.testing.assert_allclose(token_vectors(teacher, ids), expected, atol=1e-5)


def test_tokens_are_counted_and_special_ones_left_out(teacher):
    counts = token_counts(teacher, ["toy toy love", ""])
    toy = teacher.tokenizer("toy", add_special_tokens=False)["input_ids"][0]
    assert counts[0, toy] == 2
    assert (counts[0].sum(), counts[1].sum()) == (3, 0)
    assert not np.isin(teacher.tokenizer.all_special_ids, known_tokens(teacher, counts, 1000)).any()
    assert toy in known_tokens(teacher, counts, 2)  # tokens of the texts come first


def test_a_frequent_token_counts_less(teacher):
    counts = token_counts(teacher, ["the the the the toy"] * 3)
    the, toy = (teacher.tokenizer(w, add_special_tokens=False)["input_ids"][0] for w in ("the", "toy"))
    known = known_tokens(teacher, counts, 1000)
    start = start_table(np.eye(counts.shape[1], 16, dtype=np.float32), known, counts, StaticDistillation())
    assert 0 < start.weights[the] < start.weights[toy] < 1
    assert start.weights[teacher.tokenizer.pad_token_id] == 0


def test_a_teacher_that_sums_is_found_again():
    rng = np.random.default_rng(0)
    counts = sp.csr_matrix((rng.random((600, 60)) < 0.1).astype(np.float32))
    truth = TokenTable(
        rng.normal(size=(60, 8)).astype(np.float32), np.ones(60, np.float32), np.full(8, 0.3, np.float32)
    )
    vectors = truth.encode(counts)
    start = TokenTable(rng.normal(size=(60, 8)).astype(np.float32), np.ones(60, np.float32), np.zeros(8, np.float32))
    fitted = fit_table(start, counts[:500], vectors[:500])
    cosine = (fitted.encode(counts[500:]) * vectors[500:]).sum(axis=1)
    assert cosine.mean() > 0.95
    near = [
        overlap(t.encode(counts[500:]) @ t.encode(counts[:500]).T, vectors[500:] @ vectors[:500].T)
        for t in (start, fitted)
    ]
    assert near[1] > 2 * near[0]


def test_the_folder_gives_what_was_fitted(teacher, texts, tmp_path):
    vectors = teacher.encode(texts)
    encoder = encoder_from_name(str(distil_static(teacher, texts, vectors, tmp_path / "t")))
    assert isinstance(encoder, StaticTable)
    assert encoder.dim == teacher.dim
    got = encoder.encode([*texts[:20], "", " ", "\u2603"])
    assert got.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(got[:20], axis=1), 1, atol=1e-5)
    assert not got[20:22].any()
    assert (got[:20] * vectors[:20]).sum(axis=1).mean() > 0.95
    np.testing.assert_array_equal(encoder.encode(texts[3:4]), got[3:4])


def test_a_saved_table_is_the_same_encoder(table, tmp_path):
    one = StaticTable(table)
    one.save(tmp_path / "copy")
    again = encoder_from_spec(one.spec(), tmp_path / "copy")
    assert again.fingerprint == one.fingerprint
    np.testing.assert_array_equal(again.encode(["space toy"]), one.encode(["space toy"]))


def test_rounding_to_bytes_is_not_seen(tmp_path, table):
    rng = np.random.default_rng(0)
    tokenizer = (table / "tokenizer.json").read_text()
    vectors, weights = rng.normal(size=(100, 32)).astype(np.float32), rng.random(100).astype(np.float32)
    write_table(tmp_path / "t", vectors, weights, np.zeros(32), tokenizer, 64)
    got = StaticTable(tmp_path / "t").encode(["space toy", "space"])
    ids = StaticTable(tmp_path / "t")._tokenizer.encode("space toy", add_special_tokens=False).ids
    expected = weights[ids] @ vectors[ids]
    assert got[0] @ (expected / np.linalg.norm(expected)) > 0.999


@pytest.mark.parametrize("damage", ["table.npz", "tokenizer.json"])
def test_changed_files_are_refused(table, tmp_path, damage):
    StaticTable(table).save(tmp_path)
    with (tmp_path / damage).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtefactError, match=damage):
        StaticTable(tmp_path)


def test_a_card_of_another_kind_is_refused(table, tmp_path):
    StaticTable(table).save(tmp_path)
    card = (tmp_path / "encoder.json").read_text()
    (tmp_path / "encoder.json").write_text(card.replace("static-table", "hologram"))
    with pytest.raises(ArtefactError, match="of kind 'hologram'; known are 'onnx'"):
        encoder_from_name(str(tmp_path))


def test_too_few_texts(encoder_folder, tmp_path):
    teacher = Backbone(encoder_folder)
    with pytest.raises(DataError, match="3 texts; a token table needs 20"):
        distil_static(teacher, ["a", "b", "c"], np.zeros((3, 32), np.float32), tmp_path / "t")
