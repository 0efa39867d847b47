"""A learned sequence model as an ONNX graph, which is served without torch."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from warmstart.errors import require

_OPSET = 17
EVENTS, KNOWN, STATE = "events", "known", "state"  # what goes in, and what comes out


def export_layers(layers: Any, dim: int) -> np.ndarray:
    """The bytes of a float32 graph from event vectors to the state after the newest event.

    Parameters
    ----------
    layers
        As ``make_layers`` makes them.
    dim
        Their width.

    Returns
    -------
    uint8. In: ``events`` float32 (n, length, dim), ``known`` bool (n, length); out: ``state`` float32 (n, dim).

    Raises
    ------
    MissingExtra
        If torch or onnx is not installed.
    """
    torch = require("torch", extra="lm")
    require("onnx", extra="lm")

    class Newest(torch.nn.Module):  # type: ignore[misc,name-defined,unused-ignore]
        def __init__(self) -> None:
            super().__init__()
            self.layers = layers

        def forward(self, events: Any, known: Any) -> Any:
            return self.layers(events, known)[:, -1]

    example = torch.zeros(2, 3, dim), torch.ones(2, 3, dtype=torch.bool)
    axes, target = {0: "histories", 1: "length"}, io.BytesIO()
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes and on its successor
        torch.onnx.export(
            Newest().eval().cpu(),
            example,
            target,
            input_names=[EVENTS, KNOWN],
            output_names=[STATE],
            dynamic_axes={EVENTS: axes, KNOWN: axes, STATE: {0: "histories"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    return np.frombuffer(target.getvalue(), np.uint8)
