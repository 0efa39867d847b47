"""Throws made-up requests of every route at a running service; none may be answered by a server error.

``make fuzz-serve`` [EXAMPLES=300]: the OpenAPI document says what can be asked; schemathesis asks it, and what cannot.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from run import wait

from warmstart.data.toy import clusters
from warmstart.engine import Engine
from warmstart.fusion.fuse import Fusion
from warmstart.fusion.heads import HeadLearner
from warmstart.recipe import Recipe

PORT = 18_499
PLAIN = Recipe(encoder="tfidf", fusion=Fusion(queries=50, heads=HeadLearner(ranker=None)))


def main() -> int:
    """Fit a small engine, serve it, ask; 0 if no answer was a server error."""
    words = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    words.add_argument("--examples", type=int, default=300, help="made-up requests of each route, about")
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    tools = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as place:
        folder, log = Path(place), Path(place) / "log"
        Engine(PLAIN).fit(clusters(80, 48, 4, seed=1)).save(folder / "engine")
        command = [tools / "warmstart", "serve", folder / "engine", "--port", str(PORT)]
        quiet = {"WARMSTART_RATE_LIMIT": "0", "WARMSTART_LOG_LEVEL": "error", "OMP_NUM_THREADS": "1"}
        with log.open("w") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **quiet})
        try:
            wait(PORT, process, log)
            asked = [tools / "schemathesis", "run", f"http://127.0.0.1:{PORT}/openapi.json", "-c", "not_a_server_error"]
            asked += ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(given.examples)]
            asked += ["--seed", str(given.seed), "--generation-with-security-parameters", "false"]
            return subprocess.run([*asked, "--exclude-path-regex", "refit"], check=False, cwd=folder).returncode
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


if __name__ == "__main__":
    sys.exit(main())
