# The verbs of this project. `make demo` and `make test` each work on a fresh machine: they make .venv and fill it.
.PHONY: help init check fix test demo bench bench-peers bench-ratings bench-serve fuzz-serve docs clean
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
PIP := $(BIN)/python -m pip --disable-pip-version-check
# the dashboard is tested in a real browser; where none can be had those tests are skipped, and say so
BROWSER = for b in chromium chromium-browser google-chrome; do command -v $$b >/dev/null && exit 0; done; \
	{ apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } >/dev/null 2>&1 || \
	echo "no browser is here and none could be installed: its tests will be skipped; install Debian's chromium" >&2
export HF_HUB_OFFLINE = 1
export TOKENIZERS_PARALLELISM = false
# else every process that a test starts, and every new store's migrations, would be compiled anew
unexport PYTHONDONTWRITEBYTECODE

help:  ## Show these lines
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 8

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is not here; install it, or name it: make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch first and by its exact pin: a plain or ranged requirement brings gigabytes of CUDA packages
$(STAMP): pyproject.toml | $(BIN)/python
	$(PIP) install --quiet torch==2.13.0
	$(PIP) install --quiet -e ".[lm,weights,demo,graph,graph-text,ratings,scale,tracking,postgres,dashboard,spark,dev]"
	@$(BROWSER)
	@touch $@

init: $(STAMP)  ## Make .venv and install everything into it

check: $(STAMP)  ## Lint, format, types, layers, dependencies, safety
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive src tools
	$(BIN)/python tools/audit.py

fix: $(STAMP)  ## Repair what lint and format can repair
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# ten thousand connections keep time, a JVM and its workers take every core: they are tested by themselves
ALONE := tests/serve/test_protocol.py tests/scale tests/cli/test_on_spark.py
test: check  ## All checks and tests, doctests and docs included, with coverage
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal --durations=40 --durations-min=3 $(ALONE:%=--ignore=%) \
		--cov --cov-report= --cov-fail-under=0
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --durations=10 --durations-min=3 $(ALONE) --cov --cov-append --cov-report=term:skip-covered

demo: $(STAMP)  ## The main job on embedded data, start to end
	$(BIN)/warmstart demo --out demo

bench: $(STAMP)  ## Speed, as ratios measured in one run
	@for file in bench/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

# LensKit and Surprise ask for other versions than ours do: an environment of their own, torch first here too
RATERS := build/peers_env
$(RATERS)/.installed:
	$(PYTHON) -m venv $(RATERS)
	$(RATERS)/bin/python -m pip --disable-pip-version-check install --quiet torch==2.13.0
	$(RATERS)/bin/python -m pip --disable-pip-version-check install --quiet \
		lenskit==2025.8.1 scikit-surprise==1.1.5 pandas==2.3.3
	@touch $@

TASKS ?= few thin random u1
bench-ratings: $(STAMP) $(RATERS)/.installed  ## Ratings beside LensKit and Surprise, an hour or two: DATA=folder, TASKS of run.py
	@test -n "$(DATA)" || { echo "name a folder with interactions.csv and items.csv: make bench-ratings DATA=..." >&2; exit 1; }
	@mkdir -p build/ratings
	@for task in $(TASKS); do \
		$(BIN)/python bench/ratings/run.py $(DATA) $$task --splits build/ratings/splits && \
		$(BIN)/python bench/ratings/run.py $(DATA) $$task --out build/ratings/$$task.json || exit 1; \
	done
	OMP_NUM_THREADS=1 $(RATERS)/bin/python bench/ratings/peers.py build/ratings/splits --out build/ratings/peers.json --tasks $(TASKS)
	$(BIN)/python bench/ratings/plot.py build/ratings --pictures build/ratings

# every library gets an environment of its own under build/peers; what was found is kept there, too, and not run again
bench-peers: $(STAMP)  ## Lists beside other libraries, hours: DATA=folder, PEERS and SCENARIOS by name, AGAIN=1 times fits anew
	@test -n "$(DATA)" || { echo "name what ws.read takes: make bench-peers DATA=folder" >&2; exit 1; }
	$(PIP) install --quiet -e ".[bench]"
	PYTHONPATH=bench $(BIN)/python -m peers $(DATA) --peers $(PEERS) --scenarios $(SCENARIOS) --trials $(or $(TRIALS),6) \
		--threads $(or $(THREADS),1) $(if $(AGAIN),--again)

bench-serve: $(STAMP)  ## The service under load: ENGINE=folder DATA=dataset, else what make demo left
	@test -n "$(ENGINE)" || test -d demo/engine || $(MAKE) demo
	$(BIN)/python bench/service/run.py --engine $(or $(ENGINE),demo/engine) $(if $(DATA),--data $(DATA))

fuzz-serve: $(STAMP)  ## Made-up requests of every route against a running service: EXAMPLES of each
	$(BIN)/python bench/service/fuzz.py --examples $(or $(EXAMPLES),300)

docs: $(STAMP)  ## Write the --help texts into docs/cli.md, the settings into docs/operations.md
	$(BIN)/python docs/help.py
	$(BIN)/python docs/settings.py

clean:  ## Remove what was made, but .venv
	rm -rf demo dist build .coverage* coverage.xml .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
