import polars as pl
import pytest

from warmstart.cli.finetune_task import MEANING, OVER_PAIRS, Asked, TaskName, Usual, adversary
from warmstart.data.toy import clusters
from warmstart.errors import ConfigError
from warmstart.learn.held_items import HeldItems
from warmstart.learn.run import Run
from warmstart.learn.settings import Training
from warmstart.text.templates import item_texts

VALUES = {"loss": "bpr", "teacher": "runs/x", "dims": "64", "threshold": 0.0, "negatives": 3, "by_rating": True}
VALUES |= {"category": "genre", "rare": "drop", "head": "linear", "reads": "apart", "hidden": 64}
FEW = ("--steps", 1, "--batch", 8, "--tuning", "last", "--layers", 1, "--max-tokens", 0)


@pytest.fixture(scope="module")
def encoder(tiny, tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def events(shell):
    return (shell.folder / "events.csv", "--items", shell.folder / "items.csv", "--map", "user_id=who")


@pytest.mark.parametrize("task", TaskName)
@pytest.mark.parametrize("option", MEANING)
def test_an_option_without_a_meaning_for_the_task_is_refused(task, option):
    if task in MEANING[option]:
        value = "elsa" if (task, option) == ("retrieval", "loss") else VALUES[option]
        assert getattr(Asked(task, **{option: value}), option) == value
        return
    name = option.replace("_", "-")
    with pytest.raises(ConfigError, match=f"^--{name}.* has no meaning for task '{task}'; leave it out, or"):
        Asked(task, **{option: VALUES[option]})


@pytest.mark.parametrize("option", ["history", "head_rate"])
def test_what_only_a_teacher_reads_is_refused_without_one(option):
    with pytest.raises(ConfigError, match="5 has no meaning for task 'retrieval'; leave it out, or give --loss distil"):
        Asked(TaskName.retrieval, **{option: 5})
    assert Asked(TaskName.retrieval, "distil", "runs/x", **{option: 5}).task == "retrieval"
    assert all(getattr(Asked(task, **{option: 5}), option) == 5 for task in OVER_PAIRS)


@pytest.mark.parametrize(("task", "beside"), [("interest", {"threshold": 4.0}), ("ranking", {"by_rating": True})])
def test_negatives_are_refused_where_nothing_is_drawn(task, beside):
    with pytest.raises(ConfigError, match=r"--negatives 3 has no meaning beside --.*: nothing is drawn; leave it out"):
        Asked(TaskName(task), negatives=3, **beside)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((None, 2.0, None), r"--adversary-weight 2.0 has no meaning without --adversary; leave it out, or give one of"),
        ((None, None, 0.1), r"--adversary-rate 0.1 has no meaning without --adversary"),
        (("fgm", None, 0.1), r"--adversary-rate 0.1 has no meaning for --adversary fgm; .* typos, consistency"),
        (("gremlins", None, 0.1), r"adversary='gremlins' is not known"),
        (("typos", 2.0, None), r"--adversary-weight 2.0 has no meaning for --adversary typos"),
    ],
)
def test_settings_of_no_adversary_are_refused(given, told):
    with pytest.raises(ConfigError, match=told):
        adversary(*given)


def test_an_adversary_is_what_was_asked():
    assert adversary(None, None, None) is None
    one = adversary("consistency", 2.0, 0.3)
    assert (one.method, one.weight, one.attack.kind, one.attack.rate) == ("consistency", 2.0, "typos", 0.3)


def test_what_is_left_out_is_usual_for_the_task_and_nothing_is_overruled():
    loop = Training(patience=3, seed=7)
    left_out, given = (None,) * 5, (5, 6, 0.1, 0, 0)
    data = clusters(60, 40, 4, seed=1)
    retrieval, rating = (Usual.of(TaskName(name), data, None, None, 0.1, 7) for name in ("retrieval", "rating"))
    plan, batch = retrieval.training(loop, *left_out), rating.training(loop, *left_out).batch
    assert (plan.learning_rate, plan.checkpoint_every, retrieval.mode) == (2e-4, 6, "full")
    assert (plan.steps, plan.validate_every, batch) == (12, 3, 32)  # all items in one step are read twelve times
    texts = item_texts(data.catalog)
    teaching = len(HeldItems.of(texts, data.interactions, 0.3, 7).items)
    assert Usual.of(TaskName.retrieval, data, None, 5, 0.3, 7).steps == round(12 * teaching / 5) == 60
    for usual in (retrieval, rating):
        made = usual.training(loop, *given)
        assert (made.steps, made.batch, made.learning_rate, made.validate_every, made.checkpoint_every) == given
        assert (made.patience, made.seed) == (3, 7)
        assert usual.tuning("lora", 2, 4, 0.0, 0.0).token_dropout == 0.0
    assert [u.tuning(None, 2, 8, None, None).mode for u in (retrieval, rating)] == ["full", "last"]


def test_the_command_learns_and_its_settings_are_those_given(shell, encoder, events, tmp_path):
    told = shell.json("finetune", *events, "--task", "ranking", "--by-rating", "--model", encoder, "-o", tmp_path, *FEW)
    assert told["steps"] == 1
    asked = Run.read(tmp_path).card["settings"]
    assert asked["task"]["by_rating"] is True
    assert asked["source"]["max_tokens"] is None  # 0 = as many as the model reads
    assert asked["head"] == {"kind": "attention", "reads": "apart", "hidden": 128}
    assert Run.read(tmp_path).card["sizes"] == {"users": 120, "items": 80, "events": pl.read_csv(events[0]).height - 1}


def test_mistakes_are_one_line_and_nothing_is_written(shell, encoder, events, tmp_path):
    for words, message in (
        (("--head", "linear"), "--head 'linear' has no meaning for task 'retrieval'"),
        (("--task", "rating", "--by-rating"), "--by-rating has no meaning for task 'rating'; leave it out"),
        (("--adversary-rate", 0.1), "has no meaning without --adversary"),
        (("--model", "no such model"), "is no folder and no model name"),
        (("--max-tokens", -1), "--max-tokens"),
        (("--task", "ranking", "--loss", "elsa"), "--loss elsa is of task 'retrieval'; for 'ranking' give bpr, margin"),
        (("--loss", "bpr"), "--loss bpr is of task 'ranking'; for 'retrieval' give elsa, pairs, distil, harden"),
        (("--loss", "distil"), "loss='distil' has nobody to learn from; name a cross-encoder as teacher (--teacher)"),
        (("--adversary", "tyops"), "adversary='tyops' is not known; choose one of fgm"),
        (("--task", "rnking"), "Invalid value for '--task': 'rnking' is not one of 'retrieval'"),
        (("-o", events[0]), "events.csv' is a file"),
        (("--dims", "8,9999"), "dims=9999 is not below 32, the length of the model's vectors"),
        (("--dims", "8,32", "--loss", "pairs"), "dims=32 is not below 32"),
    ):
        result = shell("finetune", *events, "--model", encoder, "-o", tmp_path / "run", *words, code=2)
        assert message in " ".join(result.stderr.split())
        assert "/?" not in result.stderr  # no bar of what did not begin
    assert not (tmp_path / "run").exists()
    assert shell.json("finetune", *events, "--model", encoder, "-o", tmp_path / "run", *FEW)["steps"] == 1


def test_what_gained_nothing_and_what_was_done_before_is_told(shell, encoder, events, tmp_path):
    words = ("finetune", *events, "--task", "rating", "--model", encoder, "-o", tmp_path, *FEW)
    words = (*words, "--checkpoint-every", 1, "--learning-rate", 1e-30)
    first, again = shell(*words), shell(*words)
    assert "best_step: 0" in first.stdout
    assert "nothing was gained: no validation was better" in " ".join(first.stderr.split())
    assert "already done: 1 of 1 steps\n" in again.stderr
    assert "/?" not in again.stderr
    assert again.stdout == first.stdout


@pytest.fixture(scope="module")
def spoiled(shell, tmp_path_factory):
    """The shop's events with three ratings that are no number and one far out."""
    table = pl.read_csv(shell.folder / "events.csv").with_columns(pl.col("rating").cast(pl.String))
    wrong = pl.Series("rating", ["abc"] * 3 + ["9999"] + table["rating"][4:].to_list())
    file = tmp_path_factory.mktemp("spoiled") / "events.csv"
    table.with_columns(wrong).write_csv(file)
    return (file, "--items", shell.folder / "items.csv", "--map", "user_id=who")


def test_refused_rows_are_counted_and_kept_and_ratings_have_a_scale(shell, encoder, spoiled, tmp_path):
    words = ("finetune", *spoiled, "--task", "rating", "--model", encoder, *FEW)
    loose = shell(*words, "-o", tmp_path / "loose")
    assert "refused: 4" in loose.stdout  # and one row of the shop has no user
    told = "events: rating is no number 3; events: user id is missing 1); `warmstart check`, --rejects FILE show them"
    assert told in " ".join(loose.stderr.split())
    keep = ("--scale", "1,5", "--rejects", tmp_path / "refused.csv", "-o", tmp_path / "tight")
    tight = shell.json(*words, *keep)
    assert tight["refused"] == 5
    assert tight["without_reading"]["rmse"] < 5 < float(Run.read(tmp_path / "loose").card["result"]["trivial/rmse"])
    reasons = pl.read_csv(tmp_path / "refused.csv")["reason"].to_list()
    assert reasons.count("rating is outside 1 to 5") == 1


@pytest.mark.parametrize(
    "command", ["check", "fit", "evaluate", "finetune", "pretrain", "fewshot", "robustness", "compress"]
)
def test_every_command_that_reads_events_takes_a_scale_and_keeps_rejects(shell, spoiled, tmp_path, command):
    out = ("-o", tmp_path / "out") if command in ("fit", "finetune", "pretrain", "compress") else ()
    model = ("no-model",) if command in ("robustness", "compress") else ()
    wrong = shell(command, *model, *spoiled, *out, "--scale", "1-5", code=2)
    assert "--scale '1-5' is not LOW,HIGH; write e.g. --scale 1,5" in " ".join(wrong.stderr.split())
    words = (*spoiled, *out, "--scale", "5,1", "--rejects", tmp_path / "refused.csv")
    assert "holds no ratings" in " ".join(shell(command, *model, *words, code=2).stderr.split())


def test_check_names_the_option_of_the_scale(shell, spoiled):
    advice = {finding["name"]: finding["advice"] for finding in shell.json("check", *spoiled)["findings"]}
    assert "--scale LOW,HIGH" in advice["rating_scale"]
    assert "--rejects FILE" in advice["refused"]


def test_items_that_share_no_id_with_events_are_told(shell, encoder, tmp_path):
    items = pl.read_csv(shell.folder / "items.csv").with_columns(item_id="film-" + pl.col("item_id"))
    items.write_csv(tmp_path / "items.csv")
    events = (shell.folder / "events.csv", "--items", tmp_path / "items.csv", "--map", "user_id=who")
    first = shell.json("check", *events)["findings"][0]
    assert (first["name"], first["severity"]) == ("items_unmatched", "problem")
    assert first["text"] == "none of 72 ids of items in the events is in the items table"
    for task in ("rating", "retrieval"):
        said = shell("finetune", *events, "--task", task, "--model", encoder, "-o", tmp_path / "run", code=2)
        assert "none of 72 items with events is among the 80 that have a text" in " ".join(said.stderr.split())
    assert "items_unmatched" not in {f["name"] for f in shell.json("check", *events[:1], *events[3:])["findings"]}
