import json
import tracemalloc

import polars as pl
import pytest

from warmstart.errors import ConfigError, DataError
from warmstart.learn.corpus import Corpus

TEXTS = [f"a film about {n} dogs" for n in range(100)]


def all_of(corpus):
    return sorted([*corpus.held, *(corpus.train[i] for i in range(len(corpus.train)))])


def lines(folder, name="more.txt", texts=TEXTS, end="\n"):
    (folder / name).write_bytes("".join(t + end for t in texts).encode())
    return folder / name


def written(folder, kind):
    frame = pl.DataFrame({"id": range(100), "plot": TEXTS})
    path = folder / f"more.{kind}"
    if kind == "parquet":
        frame.write_parquet(path)
    elif kind == "jsonl":
        frame.write_ndjson(path)
    else:
        frame.write_csv(path, separator="\t" if kind == "tsv" else ",")
    return path


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "parquet"])
def test_a_column_of_a_file_is_read(tmp_path, kind):
    corpus = Corpus.of(files=[written(tmp_path, kind)], column="plot")
    assert all_of(corpus) == sorted(TEXTS)


def test_lines_of_any_ending_and_texts_in_memory_come_together(tmp_path):
    first = lines(tmp_path, "a.txt", ["\ufeffdrei Männer", "", "  流浪   地球 "], "\r\n")
    second = lines(tmp_path, "b.txt", TEXTS[:50])
    second.write_bytes(second.read_bytes().rstrip())
    corpus = Corpus.of(["", *TEXTS[50:]], [first, second], most_held=20)
    assert all_of(corpus) == sorted([*TEXTS, "drei Männer", "流浪 地球"])


def test_a_paragraph_with_line_breaks_in_a_table_is_one_text(tmp_path):
    pl.DataFrame({"text": [t.replace(" ", "\n") for t in TEXTS]}).write_csv(tmp_path / "t.csv")
    assert all_of(Corpus.of(files=[tmp_path / "t.csv"])) == sorted(TEXTS)


def test_the_same_text_is_never_on_both_sides_and_sides_are_kept(tmp_path):
    few = Corpus.of(TEXTS[:60], held_out=0.2)
    many = Corpus.of([*TEXTS, *TEXTS], [lines(tmp_path)], held_out=0.2)
    assert set(few.held) <= set(many.held)
    assert not set(many.held) & {many.train[i] for i in range(len(many.train))}
    assert len(set(many.held)) == len(many.held)
    assert len(many.train) == 3 * (100 - len(many.held))
    assert 10 <= len(many.held) <= 30


def test_at_most_so_many_are_held_out_and_five_at_least():
    many = [f"text {n}" for n in range(3000)]
    assert 60 < len(Corpus.of(many, held_out=0.5, most_held=100).held) < 140
    assert len(Corpus.of(TEXTS, held_out=0.001).held) == 5


def test_the_fingerprint_says_when_texts_differ(tmp_path):
    assert Corpus.of(TEXTS).fingerprint == Corpus.of(files=[lines(tmp_path)]).fingerprint
    assert Corpus.of(TEXTS).fingerprint != Corpus.of(TEXTS[1:]).fingerprint


def test_a_file_is_read_without_being_held(tmp_path):
    path = tmp_path / "large.txt"
    with path.open("w") as file:
        for n in range(20_000):
            file.write(f"{n} " + "words of a long paragraph " * 20 + "\n")
    size = path.stat().st_size
    tracemalloc.start()
    corpus = Corpus.of(files=[path], most_held=50)
    read = sum(len(corpus.train[i]) for i in range(0, len(corpus.train), 40))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 10_000_000
    assert read > 200_000
    assert peak < size / 5, (peak, size)


def test_what_tables_were_spooled_to_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "spool"))
    (tmp_path / "spool").mkdir()
    corpus = Corpus.of(files=[written(tmp_path, "csv")], column="plot")
    assert len(list((tmp_path / "spool").rglob("*.jsonl"))) == 1
    assert corpus.train[0]
    del corpus
    assert not list((tmp_path / "spool").iterdir())
    with pytest.raises(DataError):
        Corpus.of(files=[written(tmp_path, "csv")], column="no")
    assert not list((tmp_path / "spool").iterdir())


def broken(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


BAD = {
    "latin.txt": ("line\nMänner\n".encode("latin-1"), r"latin.txt', line 2: not UTF-8"),
    "wide.txt": ("Männer".encode("utf-16-be"), "not UTF-8"),
    "zero.txt": (b"a\x00b\x00", "another coding"),
    "empty.txt": (b"\n \n", "holds no text; give a file with a text a line"),
    "cut.jsonl": (b'{"text": "a"}\n{"text": ', "line 2: no JSON object"),
    "list.jsonl": (b"[1]\n", "no JSON object"),
    "other.jsonl": (b'{"plot": "a"}\n', "no text in column 'text'; name another column"),
    "null.jsonl": (b'{"text": null}\n{"text": 3}\n', "no text in column 'text'"),
    "blank.csv": (b"id,text\n1,\n2, \n", "blank.csv' holds no text in column 'text'"),
    "named.csv": (b"id,plot\n1,a\n", r"has no column 'text'; it has \['id', 'plot'\]"),
    "coded.csv": ("text\nMänner\n".encode("latin-1"), "coded.csv' cannot be read as .csv"),
    "no.parquet": (b"PAR1", "cannot be read as .parquet"),
    "long.txt": (b"x" * ((1 << 20) + 1), "longer than 1,048,576 bytes; write one paragraph a line"),
    "table.xlsx": (b"PK", "of no known kind; give .txt"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_used_is_told_with_its_place(tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        Corpus.of(TEXTS, [tmp_path / name])


def test_no_file_and_no_text_are_told(tmp_path):
    with pytest.raises(DataError, match="is no file"):
        Corpus.of(files=[tmp_path / "gone.txt"])
    with pytest.raises(DataError, match="0 different texts"):
        Corpus.of(["", "  "])
    with pytest.raises(DataError, match="1 different texts"):
        Corpus.of(["same"] * 50)
    with pytest.raises(ConfigError, match="held_out=1"):
        Corpus.of(TEXTS, held_out=1)


def test_json_lines_may_hold_blank_lines(tmp_path):
    (tmp_path / "t.jsonl").write_text("\n".join([*(json.dumps({"text": t}) for t in TEXTS), "", ""]))
    assert all_of(Corpus.of(files=[tmp_path / "t.jsonl"])) == sorted(TEXTS)
