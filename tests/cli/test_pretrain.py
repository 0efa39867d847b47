import polars as pl
import pytest


@pytest.fixture(scope="module")
def encoder(tiny, tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("encoder"))


FEW = ("--steps", 2, "--head-steps", 1, "--batch", 4)


def test_items_alone_are_enough_and_the_figures_are_told(shell, encoder, tmp_path):
    told = shell.json("pretrain", "--items", shell.folder / "items.csv", "--model", encoder, "-o", tmp_path / "a", *FEW)
    assert told["steps"] == 2
    assert told["change"] == pytest.approx(told["perplexity, after"] / told["perplexity, before"] - 1)
    assert (tmp_path / "a" / "model" / "config.json").is_file()
    shown = shell("pretrain", "--items", shell.folder / "items.csv", "--model", encoder, "-o", tmp_path / "a", *FEW)
    assert f"perplexity, after: {told['perplexity, after']:.4g}" in shown.stdout


def test_rows_refused_are_counted_and_kept(shell, encoder, tmp_path):
    items = pl.read_csv(shell.folder / "items.csv")
    items.vstack(items[:2]).write_csv(tmp_path / "twice.csv")
    words = ("--model", encoder, "-o", tmp_path / "a", "--rejects", tmp_path / "refused.csv", *FEW)
    said = shell("pretrain", "--items", tmp_path / "twice.csv", *words).stderr
    assert "2 of 82 rows refused (items: item id occurs before 2); they are in" in " ".join(said.split())
    assert pl.read_csv(tmp_path / "refused.csv")["row"].to_list() == [81, 82]


def test_contrast_takes_the_events(shell, encoder, tmp_path):
    events = (shell.folder / "events.csv", "--items", shell.folder / "items.csv", "--map", "user_id=who")
    told = shell.json("pretrain", *events, "--method", "contrast", "--model", encoder, "-o", tmp_path / "a", *FEW)
    assert "ndcg@10, after" in told


def test_mistakes_are_one_line(shell, encoder, tmp_path):
    empty = tmp_path / "empty.csv"
    pl.DataFrame({"text": ["", " "]}).write_csv(empty)
    for words, message in (
        ((), "0 different texts to learn from"),
        (("--texts", empty), "holds no text in column 'text'"),
        (("--texts", tmp_path / "gone.txt"), "is no file"),
        (("--items", shell.folder / "items.csv", "--method", "guess"), "method='guess' is not known"),
        (
            ("--items", shell.folder / "items.csv", "--method", "contrast"),
            "give DATA (in Python a dataset), and neither",
        ),
        (
            ("--items", shell.folder / "items.csv", "--method", "causal"),
            "is an encoder: it reads the whole text at once",
        ),
        (("-o", shell.folder / "items.csv"), "items.csv' is a file"),
        (("--items", shell.folder / "items.csv", "--tuning", "frozen"), "would learn nothing that is kept"),
        (("--items", shell.folder / "items.csv", "--model", "no such model"), "is no folder and no model name"),
    ):
        result = shell("pretrain", "--model", encoder, "-o", tmp_path / "run", *words, code=2)
        lines = [line for line in result.stderr.splitlines() if "error:" in line]
        assert len(lines) == 1, result.stderr
        assert message in lines[0]
    assert not (tmp_path / "run").exists()
