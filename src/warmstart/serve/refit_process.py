"""The process of a refit: ``python -m warmstart.serve.refit_process HOLDER``, settings in its environment."""

from __future__ import annotations

import os
import sys
import threading

POLITE = 10  # how much less urgent than answering


def main(holder: str) -> None:
    """Refit in a turn that is taken already."""
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(POLITE)
    from warmstart.serve.logs import configure_logs
    from warmstart.serve.refit import refit_in_turn
    from warmstart.serve.settings import Settings
    from warmstart.store.store import Store

    settings = Settings.read()
    configure_logs(settings)
    with Store.open(settings.database) as store:
        refit_in_turn(settings, store, holder)


def _end_with_parent() -> None:
    """End at once when the process that holds the other end of the pipe is no more, or closes it."""
    while os.read(0, 1):  # not by sys.stdin: a thread that waits in it stands in the way of an orderly end
        pass
    os._exit(3)  # each write to the store is whole; the folder at work is removed by the next refit


if __name__ == "__main__":
    main(sys.argv[1])
