"""An entity's neighbourhood as a picture: the entity, its facts by relation, what else those lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from warmstart.data.neighbourhood import Neighbourhood
from warmstart.data.relation_names import made, relation_names
from warmstart.document import document

WIDTH, ROW, GAP, TOP = 1100, 30, 16, 34
LEFT, MIDDLE, RIGHT = 190, 430, 800  # where the three columns begin
LETTER = 7.9  # mean width of a letter at 14 px
LONGEST = 36  # letters of a label
SHORT = 4  # letters of a preposition: with, of
COLOURS = 8
STYLE = """
svg.around { --ink: #1c1e21; --muted: #626973; --paper: #ffffff; --node: #f1f2f4;
  --s0: #0b62d6; --s1: #c2571a; --s2: #2f8f5b; --s3: #b3341f; --s4: #7a4fc4; --s5: #7a6a12; --s6: #127a86;
  --s7: #a8407f;
  font: 14px system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", sans-serif; max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { svg.around { --ink: #e8e9ec; --muted: #8b919c; --paper: #1c1f25; --node: #2a2e36;
  --s0: #6ea8ff; --s1: #f2a063; --s2: #6fd19b; --s3: #ff8a73; --s4: #b99af2; --s5: #d6c25a; --s6: #62c8d4;
  --s7: #ec8fc6; } }
.around .paper { fill: var(--paper); } .around text { fill: var(--ink); dominant-baseline: central; }
.around .box { fill: var(--node); } .around .centre { fill: var(--ink); }
.around text.on { fill: var(--paper); font-weight: 650; }
.around .head { font-size: 12px; font-weight: 600; } .around .count { fill: var(--muted); font-size: 12px; }
.around path { fill: none; stroke-width: 1.6; opacity: 0.65; } .around circle { stroke: none; }
"""
STYLE += "".join(
    f".around .c{n} path {{ stroke: var(--s{n}); }} .around .c{n} circle {{ fill: var(--s{n}); }} "
    f".around .c{n} text.head {{ fill: var(--s{n}); }}\n"
    for n in range(COLOURS)
)


@dataclass
class _Canvas:
    """Shapes by layer, and how far down they go."""

    names: Mapping[str, str]
    items: frozenset[str]
    lines: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    place: dict[str, float] = field(default_factory=dict)

    def label(self, entity: str) -> str:
        text = self.names.get(entity, entity)
        return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def around_svg(found: Neighbourhood, names: Mapping[str, str], items: frozenset[str] = frozenset()) -> str:
    """A picture that stands alone, readable in light and dark: SVG 1.1 with its own style.

    Parameters
    ----------
    found
        What lies around.
    names
        Entity -> what to call it; others are called by their id.
    items
        Ids of the catalogue: drawn in boxes.

    Examples
    --------
    >>> from warmstart.data.neighbourhood import neighbourhood
    >>> from warmstart.data.toy import clusters
    >>> picture = around_svg(neighbourhood(clusters().graph.index, "i0"), {"i0": "Alien"})
    >>> picture.startswith("<svg"), "Alien" in picture, picture.count("<path")
    (True, True, 4)
    """
    canvas = _Canvas(names, items)
    groups: dict[tuple[str, bool], list[tuple[str, int]]] = {}
    for relation, forward, entity, facts in found.near.rows():
        groups.setdefault((relation, forward), []).append((entity, facts))
    y = float(TOP)
    for n, ((relation, forward), entities) in enumerate(groups.items()):
        y = _group(canvas, n % COLOURS, _heading(relation, forward=forward), entities, y)
    middle = (TOP + y - GAP) / 2 if groups else TOP
    canvas.lines = [line.replace("MIDDLE", f"{middle:.0f}") for line in canvas.lines]
    height = max(y, _far(canvas, found, groups) + GAP, 2 * TOP)
    own = canvas.label(found.entity)
    told = f"{own} and what is known of it: {found.near.height} facts"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="around" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'role="img" aria-label="{escape(told)}"><style>{STYLE}</style>'
        f'<rect class="paper" width="{WIDTH}" height="{height:.0f}"/>{"".join(canvas.lines)}'
        f"{_centre(own, middle)}{''.join(canvas.marks)}</svg>"
    )


def around_page(found: Neighbourhood, names: Mapping[str, str], items: frozenset[str] = frozenset()) -> str:
    """The picture as a page of its own."""
    own = names.get(found.entity, found.entity)
    rest = f" &middot; {found.left_out:,} more facts are not shown" if found.left_out else ""
    header = f"<h1>{escape(own)}</h1>\n<p>{escape(found.entity)} &middot; {found.near.height} facts{rest}</p>"
    note = "Most specific first. To the right, what else each leads to; boxes are items, numbers count facts."
    body = f"<figure>{around_svg(found, names, items)}<figcaption>{note}</figcaption></figure>"
    return document(f"Around {own}", "Knowledge graph", header, body)


def _heading(relation: str, *, forward: bool) -> str:
    """The relation in words, without the name it is about; its own name where but a preposition would be left."""
    phrases = relation_names()(relation)
    words = (phrases.forward if forward else phrases.back).replace("{}", "").strip(" :")
    return words if len(words) > SHORT or not words.isascii() else made(relation).forward.replace("{}", "").strip(" :")


def _group(canvas: _Canvas, colour: int, heading: str, entities: Sequence[tuple[str, int]], y: float) -> float:
    """Entities of one relation below each other; where the next group begins."""
    canvas.marks.append(
        f'<g class="c{colour}"><text class="head" x="{MIDDLE}" y="{y:.0f}">{escape(heading)}</text></g>'
    )
    for entity, facts in entities:
        y += ROW * 0.8
        canvas.place[entity] = y
        bend = (LEFT + MIDDLE) / 2
        bent = f"M {LEFT} MIDDLE C {bend:.0f} MIDDLE {bend:.0f} {y:.0f} {MIDDLE - 8} {y:.0f}"
        canvas.lines.append(f'<g class="c{colour}"><path d="{bent}"/></g>')
        canvas.marks.append(f'<g class="c{colour}"><circle cx="{MIDDLE - 4}" cy="{y:.0f}" r="4"/></g>')
        canvas.marks.append(_named(canvas, entity, MIDDLE + 8, y, facts))
    return y + ROW * 0.8 + GAP / 2


def _far(canvas: _Canvas, found: Neighbourhood, groups: Mapping[tuple[str, bool], Sequence[tuple[str, int]]]) -> float:
    """What is two facts away, each once, near what leads there; how far down it goes."""
    colour = {entity: n % COLOURS for n, rows in enumerate(groups.values()) for entity, _ in rows}
    ways: dict[str, list[str]] = {}
    facts: dict[str, int] = {}
    for via, _, _, entity, n in found.far.rows():
        if entity not in canvas.place:
            ways.setdefault(entity, []).append(via)
            facts[entity] = n
    wanted = {entity: sum(canvas.place[via] for via in vias) / len(vias) for entity, vias in ways.items()}
    y = float(TOP - ROW)
    for entity in sorted(wanted, key=lambda e: (wanted[e], e)):
        y = max(y + ROW * 0.8, wanted[entity] - ROW * 0.8 * len(wanted) / 4)
        for via in dict.fromkeys(ways[entity]):
            start = MIDDLE + 16 + _width(canvas.label(via)) + 34
            bend = (start + RIGHT) / 2
            canvas.lines.append(
                f'<g class="c{colour[via]}"><path d="M {start:.0f} {canvas.place[via]:.0f} C {bend:.0f} '
                f'{canvas.place[via]:.0f} {bend:.0f} {y:.0f} {RIGHT - 4} {y:.0f}"/></g>'
            )
        canvas.marks.append(_named(canvas, entity, RIGHT + 6, y, facts[entity]))
    return y + ROW


def _named(canvas: _Canvas, entity: str, x: float, y: float, facts: int) -> str:
    """A label with its number of facts; items in a box. The whole name is told on pointing at it."""
    text = canvas.label(entity)
    wide = _width(text)
    box = f'<rect class="box" x="{x - 5}" y="{y - 11:.0f}" width="{wide + 10:.0f}" height="22" rx="5"/>'
    count = f'<tspan class="count" dx="7">{facts:,}</tspan>' if facts > 1 else ""
    title = f"<title>{escape(canvas.names.get(entity, entity))} ({escape(entity)}), {facts:,} facts</title>"
    return (
        f'<g>{title}{box if entity in canvas.items else ""}<text x="{x}" y="{y:.0f}">{escape(text)}{count}</text></g>'
    )


def _centre(text: str, y: float) -> str:
    """The entity in the middle, its name in lines of at most 22 letters."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + len(word) < 22:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    high = 20 * len(lines) + 14
    wide = LEFT - 8
    told = "".join(
        f'<text class="on" x="{LEFT - wide / 2:.0f}" y="{y + 20 * (n - (len(lines) - 1) / 2):.0f}" '
        f'text-anchor="middle">{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    return f'<rect class="centre" x="8" y="{y - high / 2:.0f}" width="{wide}" height="{high}" rx="8"/>{told}'


def _width(text: str) -> float:
    """Width of a label in px; Chinese characters are twice as wide."""
    return sum(14.0 if c >= "\u2e80" else LETTER for c in text)
