"""The routers of all pages, in the order they are asked in."""

from __future__ import annotations

from warmstart.serve import login
from warmstart.serve.pages import files, forms, ingest, missing, routes, trials

ROUTERS = tuple(module.router for module in (login, files, routes, trials, forms, ingest, missing))
