"""Commands under torchrun: those that learn together speak once, the others refuse."""

import pytest

from warmstart.cli.screen import answers, emit, learning, progress


@pytest.mark.parametrize("command", ["fit", "fewshot", "compress"])
def test_what_several_processes_cannot_share_is_refused(shell, tmp_path, monkeypatch, command):
    events = [shell.folder / "events.csv", "--items", shell.folder / "items.csv", "--map", "user_id=who"]
    words = {"fit": ["-o", tmp_path / "out"], "fewshot": [], "compress": ["-o", tmp_path / "out", "--methods", "int8"]}
    model = ["all-MiniLM-L6-v2"] if command == "compress" else []
    monkeypatch.setenv("WORLD_SIZE", "2")
    told = shell(command, *model, *events, *words[command], code=2).stderr
    assert f"WORLD_SIZE=2: {command} works in one process; start it without torchrun" in " ".join(told.split())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("rank", "spoken"), [("0", True), ("1", False)])
def test_the_first_process_speaks(monkeypatch, capsys, rank, spoken):
    monkeypatch.setenv("RANK", rank)
    emit({"steps": 6})
    answers().print("learned")
    with progress() as tell:
        tell("reading", 1, 1)
    with learning() as watch:
        watch("training", 1, 1, {"loss": 0.5})
    out, err = capsys.readouterr()
    assert (bool(out), bool(err)) == (spoken, spoken)
