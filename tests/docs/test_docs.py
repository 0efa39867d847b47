"""Documentation that cannot rot: commands, options, links, examples, translations."""

import importlib.util
import re
from pathlib import Path

import polars as pl
import pytest
from typer.main import get_command

from warmstart.cli.main import app
from warmstart.data.toy import clusters
from warmstart.recipe import Recipe

ROOT = Path(__file__).parents[2]
PAGES = sorted(p for p in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")) if p.is_file())
READMES = ("README.md", "README.zh-CN.md")
QUICK = {
    "encoder": "tfidf",
    "fusion": {"queries": 50, "heads": {"ranker": False}},
    "experts": {"popularity": {"class": "Popularity"}, "people": {"class": "PriorMeanEASE"}},
}


def leaves(command, path=()):
    """Every command with its path; groups are left out."""
    for name, sub in getattr(command, "commands", {}).items():
        yield from leaves(sub, (*path, name))
    if not hasattr(command, "commands"):
        yield " ".join(path), command


def helper():
    spec = importlib.util.spec_from_file_location("docs_help", ROOT / "docs" / "help.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


COMMANDS = dict(leaves(get_command(app)))


@pytest.mark.no_cover
def test_help_texts_of_the_page_are_those_of_the_commands():
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert helper().filled(page) == page, "docs/cli.md is behind the commands; run: make docs"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name):
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    block = re.search(rf"<!-- help: {name} -->\n(.*?)<!-- end -->", page, re.DOTALL)
    assert block, f"docs/cli.md has no block for {name!r}"
    for option in COMMANDS[name].params:
        if getattr(option, "hidden", False) or option.param_type_name == "argument":
            continue
        assert any(o in block[1] for o in option.opts), option.opts
        assert option.help, f"{name} {option.opts} has no help"
    assert "Example: warmstart" in block[1]


@pytest.mark.parametrize("readme", READMES)
def test_readmes_name_every_command(readme):
    text = (ROOT / readme).read_text(encoding="utf-8")
    assert not [name for name in COMMANDS if f"`warmstart {name}`" not in text]


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page):
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_readmes_have_the_same_shape():
    one, other = (re.sub(r"```.*?```", "", (ROOT / r).read_text("utf-8"), flags=re.DOTALL) for r in READMES)
    for mark in (r"^#+ ", r"^\|", r"\]\(", r"^- "):
        assert len(re.findall(mark, one, re.M)) == len(re.findall(mark, other, re.M)), mark


def test_decisions_are_short():
    for note in (ROOT / "docs" / "decisions").glob("*.md"):
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", note.name)
        assert len(note.read_text(encoding="utf-8").splitlines()) <= 40, note.name


def test_changelog_names_this_version():
    import warmstart

    assert f"## [{warmstart.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.fixture
def toy_files(tmp_path, monkeypatch):
    """The tables the examples read, small, in the working directory."""
    data = clusters(80, 40, 4, seed=1)
    x = data.interactions
    users, items = data.users.names(x.user.tolist()), data.catalog.items.names(x.item.tolist())
    pl.DataFrame({"user": users, "item": items, "rating": x.rating, "time": x.time}).write_csv(tmp_path / "ratings.csv")
    data.catalog.table.write_csv(tmp_path / "films.csv")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("page", [ROOT / r for r in (*READMES, "docs/data.md", "docs/graph.md")], ids=lambda p: p.name)
def test_python_examples_run(page, toy_files, capsys):
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    names = {"QUICK": Recipe.of(QUICK)}
    for block in blocks:  # the examples as they stand, but for a recipe that takes a second
        exec(compile(block.replace("ws.Engine()", "ws.Engine(QUICK)"), page.name, "exec"), names)
    if page.name.startswith("README"):
        assert Path("engine/manifest.json").is_file()
        assert Path("report.html").is_file()


def test_examples_of_language_models_run(toy_files, tiny, tmp_path):
    text = (ROOT / "docs" / "language-models.md").read_text(encoding="utf-8")
    encoder = tiny.save_encoder(tmp_path / "encoder")
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):  # each by itself, a tiny model and two steps
        short = re.sub(r"steps=\d+", "steps=2", block.replace("all-MiniLM-L6-v2", str(encoder)))
        exec(compile(short, "language-models.md", "exec"), {})
    assert Path("runs/python-rating/model/encoder/config.json").is_file()


def test_commands_of_language_models_agree_on_folders():
    text = (ROOT / "docs" / "language-models.md").read_text(encoding="utf-8")
    made = re.findall(r"^warmstart (?:pretrain|finetune) .* -o (runs/\S+)", text, re.MULTILINE)
    assert len(made) == len(set(made)), "two commands write to one folder"
    assert set(re.findall(r"(runs/\w+)/model", text)) <= set(made)


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", (ROOT / "docs/recipes.md").read_text("utf-8"), re.S))
def test_recipes_of_the_page_are_recipes(block, tmp_path):
    (tmp_path / "recipe.toml").write_text(block, encoding="utf-8")
    recipe = Recipe.load(tmp_path / "recipe.toml")
    assert Recipe.of(recipe.to_dict()) == recipe


def test_makefile_has_the_verbs():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    for verb in ("init", "check", "fix", "test", "demo", "bench", "docs", "clean"):
        assert re.search(rf"^{verb}:.*## ", text, re.M), verb
