"""Small shifts of what a language model's embedding layer gives, towards where the loss grows."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from warmstart.errors import require

_Batch = tuple[tuple[int, ...], bytes]
_LITTLE = 1e-12


class Perturbation:
    """While it is entered: adds shifts to an embedding layer's output, and notes the gradient there; weights stay.

    A shift belongs to a batch of token ids, so that all passes over the same texts, as those of a gradient cache,
    meet the same shift. Lengths are over all tokens of a text and relative: ``||shift|| / ||embeddings||``.

    Parameters
    ----------
    layer
        The torch module that maps token ids (n, tokens) to embeddings (n, tokens, dim).
    start
        Length of the random shift of a batch that has none yet.

    Attributes
    ----------
    shifts
        By batch: tensor (n, tokens, dim).
    """

    def __init__(self, layer: Any, start: float = 0.0) -> None:
        self.layer, self.start = layer, start
        self.shifts: dict[_Batch, Any] = {}
        self._gradients: dict[_Batch, Any] = {}
        self._sizes: dict[_Batch, Any] = {}

    def __enter__(self) -> Self:
        self._hook = self.layer.register_forward_hook(self._shifted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hook.remove()

    def point(self, length: float) -> None:
        """Let every shift have this length and the direction of its gradient: ``length g / ||g||``."""
        for batch, gradient in self._gradients.items():
            self.shifts[batch] = _of_length(gradient, length * self._sizes[batch])
        self._gradients.clear()

    def climb(self, step: float, radius: float) -> bool:
        """Move every shift by ``step`` along its gradient, and back into the ball of ``radius``; whether any moved."""
        found = bool(self._gradients)
        for batch, gradient in self._gradients.items():
            size, before = self._sizes[batch], self.shifts.get(batch, 0.0)
            moved = before + _of_length(gradient, step * size)
            self.shifts[batch] = moved * (radius * size / _length(moved).clamp(min=_LITTLE)).clamp(max=1.0)
        self._gradients.clear()
        return found

    def _shifted(self, layer: Any, given: tuple[Any, ...], embeddings: Any) -> Any:
        torch = require("torch", extra="lm")
        ids = given[0]
        batch = (tuple(ids.shape), ids.cpu().numpy().tobytes())
        if batch not in self._sizes:
            self._sizes[batch] = _length(embeddings.detach())
            if self.start:
                self.shifts[batch] = _of_length(torch.randn_like(embeddings), self.start * self._sizes[batch])
        if batch in self.shifts:
            embeddings = embeddings + self.shifts[batch]
        if torch.is_grad_enabled():
            embeddings = embeddings if embeddings.requires_grad else embeddings.requires_grad_()
            embeddings.register_hook(lambda gradient: self._note(batch, gradient))
        return embeddings

    def _note(self, batch: _Batch, gradient: Any) -> None:
        """Add up: a batch may be read more than once."""
        self._gradients[batch] = self._gradients.get(batch, 0.0) + gradient.detach()


def _length(values: Any) -> Any:
    """Euclidean length over tokens and dimensions: (n, 1, 1)."""
    return values.float().flatten(1).norm(dim=1)[:, None, None]


def _of_length(direction: Any, length: Any) -> Any:
    """Rows scaled to a length; rows of zeros stay."""
    return direction * (length / _length(direction).clamp(min=_LITTLE))
