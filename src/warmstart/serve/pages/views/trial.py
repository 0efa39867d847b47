"""What somebody tries out: who asks, what they type and click; kept in the address of the page, stored nowhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from warmstart.serve.lines import Wanted
from warmstart.serve.recommend import filters_of
from warmstart.serve.schemas import ExplainRequest, Question

LENGTH = 10  # of the list
CLICKS = 100  # at most


@dataclass(frozen=True)
class Trial:
    """One what-if.

    Parameters
    ----------
    user
        Id of somebody; empty = an anonymous visitor.
    text
        A taste in words.
    click
        Items clicked here, oldest first.
    off, more
        Interests switched off, and wanted more of, by number.
    column, value
        A filter; either empty = none.
    diversity
        In [0, 1].
    why
        The item to be explained.
    find
        Words of a title that is looked for.
    """

    user: str = ""
    text: str = ""
    click: tuple[str, ...] = ()
    off: tuple[int, ...] = ()
    more: tuple[int, ...] = ()
    column: str = ""
    value: str = ""
    diversity: float = 0.0
    why: str = ""
    find: str = ""

    @property
    def query(self) -> str:
        """As the part of an address after the question mark.

        Examples
        --------
        >>> Trial(user="u 1", click=("a", "b")).query
        'user=u+1&click=a&click=b'
        """
        told = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return urlencode({name: value for name, value in told.items() if value}, doseq=True)

    def clicked(self, item_id: str) -> Trial:
        """After one click more."""
        return replace(self, click=(*self.click, item_id)[-CLICKS:], find="", why="")

    def unclicked(self, item_id: str) -> Trial:
        """With a click taken back."""
        return replace(self, click=tuple(i for i in self.click if i != item_id))

    def asking(self, item_id: str) -> Trial:
        """With the question why an item stands where it stands."""
        return replace(self, why=item_id, find="")

    def without_query(self) -> Trial:
        """Without what is looked for and asked about."""
        return replace(self, why="", find="")

    @property
    def before(self) -> Trial | None:
        """Without its newest change, to see what that did; None where there is none."""
        if self.off or self.more:
            return replace(self, off=(), more=())
        if self.click:
            return replace(self, click=self.click[:-1])
        return replace(self, text="") if self.text.strip() else None

    @property
    def filters(self) -> dict[str, str]:
        """The filter, as a request has it."""
        return {self.column: self.value} if self.column and self.value.strip() else {}

    @property
    def question(self) -> Question:
        """Who asks."""
        return Question(user_id=self.user or None, events=list(self.click), text=self.text)

    @property
    def explain(self) -> ExplainRequest:
        """Why the item in question is shown, or is not."""
        return ExplainRequest(
            user_id=self.user or None,
            events=list(self.click),
            text=self.text,
            filters=dict(self.filters),
            item_id=self.why,
            k=LENGTH,
        )

    @property
    def wanted(self) -> Wanted:
        """What is wanted of the list."""
        return Wanted(
            k=LENGTH,
            filters=filters_of(dict(self.filters)),
            without=self.off,
            more=self.more,
            diversity=self.diversity,
        )
