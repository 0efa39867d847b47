"""Write the ``--help`` text of every command into docs/cli.md, between its marks; ``--check`` only compares."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from typer.main import get_command
from typer.testing import CliRunner

from warmstart.cli.main import app

PAGE = Path(__file__).parent / "cli.md"
WIDTH = 100
BLOCK = re.compile(r"<!-- help: (?P<command>[^>]*?) -->\n.*?<!-- end -->", re.DOTALL)


def commands() -> Iterator[str]:
    """All commands by name, e.g. ``"data get"``."""
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        yield from (f"{name} {sub}" for sub in inner) if inner else (name,)


def help_text(command: str) -> str:
    """What ``warmstart COMMAND --help`` says."""
    result = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="warmstart", terminal_width=WIDTH)
    return "\n".join(line.rstrip() for line in result.stdout.strip().splitlines())


def filled(page: str) -> str:
    """The page with every block written anew."""
    return BLOCK.sub(lambda m: block(m["command"]), page)


def block(command: str) -> str:
    """Help between marks."""
    lines = (f"<!-- help: {command} -->", "```text", help_text(command), "```", "<!-- end -->")
    return "\n".join(lines)


def main() -> int:
    """Write, or compare and return 1 if the page is behind."""
    page = PAGE.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        return int(filled(page) != page)
    PAGE.write_text(filled(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
