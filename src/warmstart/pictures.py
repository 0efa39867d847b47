"""Pictures of what an engine knows: interests of a person, concepts of a catalogue."""

from __future__ import annotations

from warmstart.data.histories import Histories
from warmstart.fitted import Fitted
from warmstart.interests.page import page
from warmstart.interests.profile import ProfileSettings
from warmstart.interests.shown import Person, Shown


def pictured(f: Fitted, h: Histories | None, user: str | None, settings: ProfileSettings | None = None) -> str:
    """One self-contained HTML page: interests with evidence, the map of the catalogue, the tree with shares.

    Parameters
    ----------
    f
        What an engine learned.
    h
        One person's history (``len(h) == 1``); None = the catalogue alone.
    user
        Id of the person, where it is known.
    settings
        Decay, number of interests, and when one rises.
    """
    person = None
    if h is not None:
        row = h.row(0)
        nameless = f"a history of {len(row):,} event{'' if len(row) == 1 else 's'}"
        person = Person.of(nameless if user is None else f"user {user}", row, f.concepts, settings)
    return page(Shown(f.concepts, f.catalog, f.counts, person), f.space.z)
