"""Write the table of settings into docs/operations.md, between its marks."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic_core import PydanticUndefined

from warmstart.serve.settings import Settings
from warmstart.serve.settings_sources import exported

PAGE = Path(__file__).parent / "operations.md"
BLOCK = re.compile(r"<!-- settings -->\n.*?<!-- end -->", re.DOTALL)


def table() -> str:
    """One row a setting: name, default, meaning."""
    lines = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{name}` | {_default(name)} | {field.description} |")
    return "\n".join(lines)


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    if value is PydanticUndefined:
        return "required"
    given = Settings.read({"engine": "engine", name: value})
    text = exported(given).get(f"WARMSTART_{name.upper()}", "")
    return f"`{text.replace(',', ', ')}`" if text else ""


def filled(page: str) -> str:
    """The page with its table written anew."""
    return BLOCK.sub(lambda _: f"<!-- settings -->\n{table()}\n<!-- end -->", page)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
