"""One process or several: which part is mine, where it runs, and how gradients come together.

The same command works alone and under ``accelerate launch`` or ``torchrun``: every process draws the same batch from
the same seed, works on its own share of it, and gradients are averaged, so that n processes with a batch of b follow
the same path as one process with a batch of n b.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from warmstart.errors import ConfigError, require

LOG = logging.getLogger(__name__)


def one_alone(what: str) -> None:
    """Refuse to be one of several processes: each would do all of the work, and write over the others.

    Raises
    ------
    ConfigError
        If there are several, as torchrun and accelerate say.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count > 1:
        raise ConfigError(f"WORLD_SIZE={count}: {what} works in one process; start it without torchrun or accelerate")


class Processes:
    """One process among those that train together.

    Parameters
    ----------
    precision
        "auto", "float32" or "bfloat16"; see ``Training``.

    Attributes
    ----------
    rank, count
        Number of this process, and how many there are.
    device
        Where tensors go: a GPU where there is one.
    """

    def __init__(self, precision: str = "auto") -> None:
        torch, accelerate = require("torch", extra="lm"), require("accelerate", extra="lm")
        self._state = accelerate.PartialState(cpu=not torch.cuda.is_available() and not _has_mps(torch))
        self.rank, self.count = int(self._state.process_index), int(self._state.num_processes)
        if self.count == 1 and {"MASTER_ADDR", "ACCELERATE_USE_CPU"} <= os.environ.keys():
            LOG.warning(
                "accelerate launch --cpu started one process alone; use --multi_gpu (on processors too) or torchrun"
            )
        self.device = self._state.device
        able = _has_bfloat16(torch, self.device.type)
        self.bfloat16 = precision == "bfloat16" or (precision == "auto" and able)

    @property
    def main(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    def autocast(self) -> AbstractContextManager[Any]:
        """Mixed precision, where it is wanted."""
        torch = require("torch", extra="lm")
        return torch.autocast(self.device.type, dtype=torch.bfloat16) if self.bfloat16 else nullcontext()

    def average(self, weights: Iterable[Any]) -> None:
        """Replace every gradient by its mean over the processes; one that only some have counts as zero elsewhere."""
        if self.count == 1:
            return
        torch, kept = require("torch", extra="lm"), list(weights)
        had = torch.tensor([float(p.grad is not None) for p in kept], device=self.device)
        torch.distributed.all_reduce(had)
        for p, n in zip(kept, had.tolist(), strict=True):
            if n:
                p.grad = torch.zeros_like(p) if p.grad is None else p.grad
                torch.distributed.all_reduce(p.grad)
                p.grad /= self.count

    def same(self, weights: Iterable[Any]) -> None:
        """Give all processes the weights that the first one has."""
        if self.count > 1:
            for p in weights:
                require("torch", extra="lm").distributed.broadcast(p.detach(), src=0)

    def first(self, figures: Mapping[str, float]) -> dict[str, float]:
        """Figures as the first process found them, so that all decide alike."""
        if self.count == 1 or not figures:
            return dict(figures)
        torch, names = require("torch", extra="lm"), sorted(figures)
        values = torch.tensor([float(figures[k]) for k in names], device=self.device)
        torch.distributed.broadcast(values, src=0)
        return dict(zip(names, values.tolist(), strict=True))

    def gather(self, part: Any) -> Any:
        """The parts of all processes (equal shapes) one after another, without gradient."""
        if self.count == 1:
            return part
        torch = require("torch", extra="lm")
        parts = [torch.empty_like(part) for _ in range(self.count)]
        torch.distributed.all_gather(parts, part.contiguous())
        return torch.cat(parts)

    def mean(self, value: float) -> float:
        """The mean of a number over the processes."""
        torch = require("torch", extra="lm")
        return float(self.gather(torch.tensor([float(value)], device=self.device)).mean())

    def wait(self) -> None:
        """Go on when all processes are here."""
        self._state.wait_for_everyone()


@dataclass(frozen=True)
class Draw:
    """What decides a micro-batch: its seed, its size, and whose part of it is wanted.

    Parameters
    ----------
    seed, step, micro
        Together they fix what is drawn; a run taken up again draws as it would have drawn.
    batch
        Examples a process.
    processes
        Who works together.
    micros
        Micro-batches a step.
    """

    seed: int
    step: int
    micro: int
    batch: int
    processes: Processes
    micros: int = 1

    def rng(self) -> np.random.Generator:
        """A generator that is the same in all processes."""
        return np.random.default_rng([self.seed, self.step, self.micro])

    @property
    def size(self) -> int:
        """Examples over all processes."""
        return self.batch * self.processes.count

    def indices(self, n: int) -> np.ndarray:
        """The share of ``whole(n)`` that falls to this process."""
        return self.share(self.whole(n))

    def whole(self, n: int) -> np.ndarray:
        """A batch out of ``n`` examples, that of all processes; none comes twice before all came.

        Every epoch is a new order; where ``size`` passes the end of one, the next one's beginning is taken.
        """
        if n < 1:
            raise ValueError("nothing to draw from")
        first = (self.step * self.micros + self.micro) * self.size
        wanted = np.arange(first, first + self.size)
        whole = np.empty(self.size, np.int64)
        for epoch in np.unique(wanted // n):
            order = _order(self.seed, int(epoch), n)
            mine = wanted // n == epoch
            whole[mine] = order[wanted[mine] % n]
        return whole

    def share(self, whole: np.ndarray) -> np.ndarray:
        """The part of something drawn by all that falls to this process: a contiguous one, all of equal length."""
        each = len(whole) // self.processes.count
        return whole[self.processes.rank * each : (self.processes.rank + 1) * each]


def reseed(seed: int) -> None:
    """Set the seed of the generators that draw, as every step does; like ``torch.manual_seed``.

    That one also notes a stack trace a call for devices that are not in use, and keeps it: where there is only a
    processor, a few milliseconds and kilobytes every time.

    Parameters
    ----------
    seed
        From 0 to 2**63 - 1.

    Examples
    --------
    >>> import torch
    >>> reseed(7)
    >>> drawn = torch.rand(2)
    >>> _ = torch.manual_seed(7)
    >>> torch.equal(drawn, torch.rand(2))
    True
    """
    torch = require("torch", extra="lm")
    if torch.cuda.is_available() or _has_mps(torch):
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@lru_cache(maxsize=2)
def _order(seed: int, epoch: int, n: int) -> np.ndarray:
    """The order of an epoch; kept, for with millions of examples it takes longer than a step."""
    return np.random.default_rng([seed, 7919, epoch]).permutation(n)


def _has_bfloat16(torch: Any, device: str) -> bool:
    """Whether bfloat16 is multiplied faster than float32: by most GPUs, and by processors with AVX-512 BF16."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    asked = getattr(torch.cpu, "get_capabilities", None)
    return device == "cpu" and asked is not None and bool(asked().get("avx512_bf16"))


def _has_mps(torch: Any) -> bool:
    return bool(torch.backends.mps.is_available())
