"""What the service writes in English is told in Chinese on Chinese pages; what is data stays as it is."""

import ast
import re
import time
import tomllib
from pathlib import Path

import pytest

import warmstart
from warmstart.explain.because import Because
from warmstart.serve.pages.words import words_of

ROOT = Path(warmstart.__file__).parent
KNOWN = tomllib.loads((ROOT / "serve/pages/words/sentences.zh.toml").read_text(encoding="utf-8"))
WRITERS = {  # where sentences are written: functions and constants, by module
    "data/health.py": (
        *("_look_sizes", "_look_cold", "_look_times", "_look_leakage", "_look_text"),
        *("_look_ratings", "_look_ingest", "_unmatched"),
    ),
    "data/report.py": ("told", "UNDESCRIBED", "RARE", "EQUAL"),
    "data/clean.py": ("_reason",),
    "data/duplicates.py": ("DUPLICATE",),
    "data/times.py": ("UNREADABLE", "TOO_EARLY", "TOO_LATE"),
    "data/leakage.py": ("outcome_columns",),
    "data/tables.py": ("shape_keyed",),
    "explain/because.py": ("sentence",),
    "explain/reasons.py": ("sentences",),
    "explain/missing.py": ("text",),
    "serve/verbs.py": ("explain",),
    "serve/judge.py": ("reason", "__str__"),
    "serve/refit.py": ("FLATTERED", "SAME", "ERASED", "OVERTAKEN", "refit_in_turn", "_train"),
    "serve/refits.py": ("start", "_watch"),
    "serve/turn.py": ("progress_of",),
    "serve/holdout.py": ("cut_of", "split_of"),
    "serve/verdicts.py": ("EARLY", "_verdict", "_compared", "_preferred"),
    "serve/outcomes.py": ("_remarks",),
    "serve/catalogue.py": ("misfit",),
    "serve/times.py": ("seconds",),
}
STAGE = re.compile(r"""(?:progress|tell)\("([a-z][a-z -]+)", """)
LOGGED = "refit ended early"


def runs(text: str) -> list[str]:
    """Two English words and more that follow each other."""
    return re.findall(r"\b[A-Za-z]+(?:,? [a-z]+)+\b", text)


def written(module: str, names: tuple[str, ...]) -> list[str]:
    """Texts in some functions and constants of a module, without their documentation."""
    found = []
    for node in ast.walk(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            body = node.body[1:] if ast.get_docstring(node) else node.body
            found += [c.value for part in body for c in ast.walk(part) if isinstance(c, ast.Constant)]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in names:
            found += [c.value for c in ast.walk(node.value) if isinstance(c, ast.Constant)]
    return [text for text in found if isinstance(text, str)]


@pytest.mark.parametrize("module", WRITERS)
def test_every_sentence_that_is_written_has_its_chinese(module):
    texts = written(module, WRITERS[module])
    assert any(runs(text) for text in texts), "nothing is written here any more"
    lacking = [run for text in texts for run in runs(text) if not any(run in english for english in (*KNOWN, LOGGED))]
    assert lacking == []


def test_every_stage_of_a_refit_has_its_chinese():
    places = [
        *ROOT.glob("*.py"),
        *(p for name in ("experts", "fusion", "interests") for p in ROOT.glob(f"{name}/*.py")),
    ]
    places += [ROOT / "serve/refit.py", ROOT / "serve/judge.py"]
    stages = {stage for path in places for stage in STAGE.findall(path.read_text(encoding="utf-8"))}
    assert {"fitting experts", "judging"} <= stages
    assert stages <= KNOWN.keys()


def test_both_languages_speak_of_the_same_places():
    for english, chinese in KNOWN.items():
        assert set(re.findall(r"{(\w+)}", english)) == set(re.findall(r"{(\w+)}", chinese)), english


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (Because(3, "space", ("7",), ("Contact: a; b",), (0.4,)).sentence, "因为您对“space”感兴趣：Contact: a; b"),
        ("because of Foo; Bar (they are alike)", "因为 Foo; Bar（两者相似）"),
        (
            "Alien is shown at rank 3. because of Foo; Bar (they are alike); taken by 1,005 people.",
            "Alien 位于第 3 名。因为 Foo; Bar（两者相似）；1,005 人选过。",
        ),
        (
            "fell: 'cold' by 5.0% (NDCG@10 0.19 from 0.20, difference -0.01 to +0.01, 300 queries); "
            "at most 2.0% is allowed",
            "下降：“冷启动”下降 5.0%（NDCG@10 从 0.20 到 0.19，差值 -0.01 至 +0.01，300 个查询）；最多容许 2.0%",
        ),
        (
            "no slice fell by more than 2.0%; too few queries to tell of cold, long tail",
            "没有分组下降超过 2.0%；查询太少，无法判断：冷启动、长尾",
        ),
        (
            "2 of 3 rows refused (items: item id is missing 1; items: fields.year 'soon' is no number, and the "
            "catalogue's 'year' holds numbers 1)",
            "3 行中有 2 行被拒绝（物品：缺少物品编号 1；物品：fields.year 'soon' 不是数字，而目录的 'year' 是数字 1）",
        ),
        ("The Thing", "The Thing"),
        ("because it is there", "because it is there"),
        ("note: nothing is known of this", "note: nothing is known of this"),
    ],
)
def test_sentences_change_their_language_and_data_stay(english, chinese):
    assert words_of("zh").said(english) == chinese
    assert words_of("en").said(english) == english


@pytest.mark.parametrize("part", ["a; because of ", "a: ", "x is not shown: ", "no: 1 to 2. ", " is better than b: 1 "])
@pytest.mark.parametrize("often", [20, 200, 20_000])
def test_titles_made_to_hold_the_service_up_do_not(part, often):
    began = time.process_time()
    words_of("zh").said(part * often)
    assert time.process_time() - began < 0.5
