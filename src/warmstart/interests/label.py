"""Short names of concepts by a language model that reads their telling words and typical items."""

from __future__ import annotations

from collections.abc import Sequence

from warmstart.errors import ConfigError, require
from warmstart.experts.panel import Progress
from warmstart.learn.backbone import Backbone
from warmstart.learn.settings import Tuning

BATCH = 16
TOKENS = 8  # of an answer at most
ITEMS, LETTERS = 3, 40  # items of a concept, and letters of their titles, that are read
LONGEST = 40  # letters of a name
EXAMPLES = (
    ("goal, league, striker", "The Damned United; Fever Pitch", "football"),
    ("wok, ginger, noodles", "Every Grain of Rice; The Wok", "Chinese cooking"),
    ("burglar, safe, getaway", "Heat; The Italian Job", "heists"),
)


def label_concepts(
    model: str, words: Sequence[Sequence[str]], titles: Sequence[Sequence[str]], progress: Progress | None = None
) -> list[str]:
    """What a decoder calls each concept, shown three examples; the likeliest token at every place, so nothing is drawn.

    Parameters
    ----------
    model
        A decoder: a folder, a GGUF file or a model name (see ``weights_folder``).
    words, titles
        Telling words and typical items of each concept.
    progress
        Called with ("naming concepts", done, total).

    Returns
    -------
    One name a concept; "" where the answer will not do (see ``names_of``).

    Raises
    ------
    ConfigError
        If there is no such model, or it is an encoder.
    MissingExtra
        If torch or transformers is not installed.
    """
    backbone = Backbone(model, Tuning(mode="frozen"), head="causal")
    if not backbone.decoder:
        raise ConfigError(f"label={model!r} is an encoder, which writes nothing; name a decoder, e.g. 'gemma-3-270m'")
    asked = [
        question(", ".join(w), "; ".join(t[:LETTERS] for t in ts[:ITEMS])) for w, ts in zip(words, titles, strict=True)
    ]
    told: list[str] = []
    for start in range(0, len(asked), BATCH):
        if progress:
            progress("naming concepts", start, len(asked))
        told += answers(backbone, asked[start : start + BATCH])
    return names_of(told, words, titles)


def names_of(told: Sequence[str], words: Sequence[Sequence[str]], titles: Sequence[Sequence[str]]) -> list[str]:
    r"""The answers that name a concept; "" for one that is no name, is taken, or repeats what was asked.

    Examples
    --------
    >>> names_of([" Space travel\nWords: x", "space alien", "Heists"], [["space", "alien"]] * 3, [["Alien"]] * 3)
    ['Space travel', '', '']
    """
    taken, names = {name.casefold() for _, _, name in EXAMPLES}, []
    for answer, w, ts in zip(told, words, titles, strict=True):
        name = cleaned(answer)
        repeats = set(name.casefold().split()) <= set(" ".join(w).casefold().split())
        repeats |= name.casefold() in {t.casefold() for t in ts} | taken
        names.append("" if repeats else name)
        taken.add(name.casefold())
    return names


def question(words: str, titles: str) -> str:
    """The examples, then the concept, its name left open.

    Examples
    --------
    >>> question("space, alien", "Alien; Contact").splitlines()[-3:]
    ['Words: space, alien', 'Items: Alien; Contact', 'Name:']
    """
    shown = [f"Words: {w}\nItems: {t}\nName: {name}\n" for w, t, name in EXAMPLES]
    return "\n".join([*shown, f"Words: {words}\nItems: {titles}\nName:"])


def answers(backbone: Backbone, texts: Sequence[str]) -> list[str]:
    """What follows each text by a decoder; of a text that is too long its beginning is not read."""
    torch, transformers = require("torch", extra="lm"), require("transformers", extra="lm")
    tokenizer = backbone.tokenizer
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    limit = backbone.reading.max_tokens - TOKENS
    tokens = tokenizer(list(texts), padding=True, truncation=True, max_length=limit, return_tensors="pt")
    how = transformers.GenerationConfig(
        max_new_tokens=TOKENS, do_sample=False, pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id
    )
    with torch.inference_mode():
        made = backbone.model.generate(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"], generation_config=how
        )
    told: list[str] = tokenizer.batch_decode(made[:, tokens["input_ids"].shape[1] :], skip_special_tokens=True)
    return told


def cleaned(answer: str) -> str:
    r"""The first line of an answer without quotes and stops; "" for a list, a stammer, or more than 40 letters.

    Examples
    --------
    >>> cleaned(' "Space travel."\nWords: more'), cleaned("love, war"), cleaned("war war war"), cleaned("a" * 50)
    ('Space travel', '', '', '')
    """
    first = " ".join(answer.strip().split("\n")[0].split()).strip(" \"'`*.,;:-")
    parts = first.casefold().split()
    whole = len(set(parts)) == len(parts) and not {",", ";"} & set(first) and len(first) <= LONGEST
    return first if whole and any(c.isalpha() for c in first) else ""
