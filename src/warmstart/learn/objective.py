"""What a run needs of whatever is to be learned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from warmstart.learn.processes import Draw, Processes

if TYPE_CHECKING:
    from warmstart.learn.backbone import Backbone

Watch = Callable[[str, int, int, dict[str, float]], None]  # stage, steps done, steps in all, figures
ALREADY_DONE = "already done"  # the stage that is told of a run that is given again after its end


class Objective(Protocol):
    """A loss with its data and weights; the loop asks it for gradients and for how good it has become."""

    @property
    def watched(self) -> str:
        """The validation figure by which the best weights are chosen, e.g. "ndcg@10" or "perplexity"."""
        ...

    @property
    def higher_is_better(self) -> bool:
        """Which way the watched figure improves."""
        ...

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """All weights that learn, by name: of the backbone and of heads."""
        ...

    def place(self, processes: Processes) -> None:
        """Move all weights to the processes' device."""
        ...

    def train(self, mode: bool) -> None:
        """Switch dropout on or off."""
        ...

    def backward(self, draw: Draw) -> float:
        """Draw a micro-batch, add this process's gradients of its mean loss to ``.grad``, return the loss."""
        ...

    def validate(self) -> dict[str, float]:
        """Figures on held-out data, the watched one among them; draws nothing and changes nothing."""
        ...


class OnBackbone:
    """What objectives share whose weights are those of a language model; one with more weights adds its own.

    Attributes
    ----------
    backbone
        The language model.
    """

    backbone: Backbone

    def parameters(self) -> Iterator[tuple[str, Any]]:
        """The backbone's weights that learn."""
        return self.backbone.parameters()

    def place(self, processes: Processes) -> None:
        """Move the backbone to the device."""
        self.backbone.model.to(processes.device)

    def train(self, mode: bool) -> None:
        """Switch dropout."""
        self.backbone.model.train(mode)
