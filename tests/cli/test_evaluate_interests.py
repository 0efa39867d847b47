"""Mined interests are measured on the command line."""


def asked(shell, *more):
    f = shell.folder
    tables = ("evaluate-interests", f / "events.csv", "--items", f / "items.csv", "--map", "user_id=who")
    return (*tables, "--map", "item_id=sku", "--encoder", "tfidf", "--least", 3, "--topics", "4", "--seeds", 2, *more)


def test_hidden_labels_are_foreseen(shell):
    found = shell.json(*asked(shell, "--hide", "genre"))
    names = [entry["name"] for entry in found["entries"]]
    assert names == ["interests", "the eight told", "LDA topics", "genre counts", "popularity", "labels, not hidden"]
    assert found["labels"] == 4
    assert found["agreement"]["same"]
    assert 0 < found["entries"][0]["values"]["genre"]["f1"]["mean"] <= 1


def test_tables_are_printed_and_tags_are_labels(shell, tmp_path):
    rows = ["item_id,tag", *(f"i{i},{'loved' if i % 4 == 0 else 'known'}" for i in range(80))]
    (tmp_path / "tags.csv").write_text("\n".join(rows))
    said = shell(*asked(shell, "--hide", "genre", "--tags", tmp_path / "tags.csv")).stdout
    assert "all labels" in said
    assert "- tag (" in said
    assert "NPMI" in said


def test_columns_that_are_not_there_are_refused(shell):
    assert "no column 'mood' to hide" in shell(*asked(shell, "--hide", "mood"), code=2).stderr
    assert (
        "kind='fog' of concepts is unknown"
        in shell(*asked(shell, "--hide", "genre", "--concepts", "fog"), code=2).stderr
    )
    assert "--hide names no column" in shell(*asked(shell, "--hide", " "), code=2).stderr
    assert "nobody has 500 new items" in shell(*asked(shell, "--hide", "genre", "--least", 500), code=2).stderr
