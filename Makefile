# Two commands: `make run` (set up, then run the pipeline on the embedded data set) and `make test`.
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
export DVC_NO_ANALYTICS := 1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-slow test-wheel lint format generate lock clean

help:  ## show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# Packages are compiled once: otherwise each process that may not write compiled files, as those of tests, takes
# three times as long to import TensorFlow.
# Scripts in .venv start the Python of the place where they were installed: in a moved checkout, install again.
ifneq ($(shell cat .venv/.ready 2>/dev/null),$(CURDIR))
.PHONY: .venv/.ready
CLEAR := --clear
endif

setup: .venv/.ready  ## create the environment .venv from the lock file

.venv/.ready: requirements.lock pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11))" || \
	  { echo "genredag: error: $(PYTHON) is older than 3.11. Hint: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv $(CLEAR) .venv
	$(BIN)/python -m pip install --quiet uv==$(UV_VERSION)
	$(BIN)/uv pip sync --quiet --require-hashes --compile-bytecode --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	$(BIN)/python -m genredag.project.dvc_plots_page .dvc/plots.html
	echo "$(CURDIR)" > $@

run: setup  ## run the pipeline: the matrix of params.yaml on all cores
	$(BIN)/snakemake --cores all

# The tests copy and compare folders of code, which compiled files would change under them.
test test-slow: export PYTHONDONTWRITEBYTECODE := 1

test: setup  ## run the tests, without the slow ones (minutes)
	$(BIN)/pytest -n auto -m "not slow"

test-slow: setup  ## run the slow tests: every leaf, real training, browsers, simulations (an hour)
	$(BIN)/pytest -n 2 --dist loadscope -m slow

test-wheel: setup  ## build the wheel and test it in an empty environment
	$(BIN)/pytest tests/packaging

lint: setup  ## check format, lint, import order and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint
	$(BIN)/lint-imports
	$(BIN)/mypy

format: setup  ## format all code
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	$(BIN)/snakefmt Snakefile workflow

generate: setup  ## regenerate derived files: docs/parameters.md, docs/reruns.md, params.schema.json, parts of README.md
	$(BIN)/genredag generate

lock: setup  ## update requirements.lock and envs/cluster.lock to the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --extra all --extra dev --no-header \
	  --upgrade --quiet --output-file requirements.lock pyproject.toml
	cp requirements.lock envs/cluster.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --extra workflow --extra tensorflow \
	  --extra report --extra kubernetes --no-header --quiet --output-file envs/cluster.lock pyproject.toml

clean:  ## remove everything that was built (not the user's cache)
	git clean -fdxq data results experiment logs .snakemake .cache .dvc/cache
