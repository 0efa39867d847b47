"""For each line ``NUMBER FILE`` read, a child that writes events until it is killed from outside.

The parent imports everything once and has no thread, so that a child is there at once. It says the child's process id
when the child has opened the store, and how it ended. The child appends the ids of each acknowledged call to FILE.
"""

import os
import sys

from warmstart.store.rows import Event
from warmstart.store.store import Store
from warmstart.store.writer import Writer


def write(url, run, said, ready):
    with Store.open(url) as store, Writer(store) as writer:
        os.write(ready, b"x")
        for n in range(1_000_000):
            rows = [Event(f"{run}-{n}-{part}", "ann", "alien", "click", n) for part in range(1 + n % 3)]
            writer.events(rows)
            os.write(said, (" ".join(row.event_id for row in rows) + "\n").encode())


def serve():
    for line in sys.stdin:
        run, file = line.split()
        said = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        heard, ready = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(heard)
            write(sys.argv[1], run, said, ready)
        os.close(ready)
        os.close(said)
        os.read(heard, 1)  # ends when the child is ready, or dead
        os.close(heard)
        sys.stdout.write(f"{child}\n")
        sys.stdout.flush()
        sys.stdout.write(f"{os.waitpid(child, 0)[1]}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
