"""How many events count, and where in the order of their arrival the newest of them begin."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, case, func, literal, select

from warmstart.store.part import Part
from warmstart.store.tables import EVENTS, ITEMS

_DELETED = select(ITEMS.c.item_id).where(ITEMS.c.deleted_at > 0)


class Counted(Part):
    """Events that ``dataset`` takes: of a weight above 0, with items that were not deleted."""

    def counted(self, weights: Mapping[str, float], after: int = 0, last: int | None = None) -> int:
        """How many there are.

        Parameters
        ----------
        weights
            Weight of each kind of event; kinds that are not named weigh 1.
        after, last
            Only those with ``after < Event.seq <= last``; None = to the newest.
        """
        with self.database.read() as connection:
            query = select(func.count()).select_from(EVENTS).where(*_counting(weights, after, last))
            value: int = connection.execute(query).scalar_one()
            return value

    def before_newest(self, weights: Mapping[str, float], n: int, last: int | None = None) -> int:
        """The ``Event.seq`` of the newest event that is not among the newest ``n``; 0 if there is none."""
        query = select(EVENTS.c.seq).where(*_counting(weights, 0, last))
        with self.database.read() as connection:
            found: int | None = connection.execute(
                query.order_by(EVENTS.c.seq.desc()).offset(n).limit(1)
            ).scalar_one_or_none()
            return found or 0


def _counting(weights: Mapping[str, float], after: int, last: int | None) -> list[ColumnElement[bool]]:
    own = case(dict(weights), value=EVENTS.c.kind, else_=1.0) if weights else literal(1.0)
    heavy = func.coalesce(EVENTS.c.weight, own) > 0
    wanted = [heavy, EVENTS.c.seq > after, EVENTS.c.item_id.not_in(_DELETED)]
    return wanted if last is None else [*wanted, EVENTS.c.seq <= last]
