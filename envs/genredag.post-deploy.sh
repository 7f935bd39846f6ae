#!/usr/bin/env bash
# Snakemake runs this once in the new environment, from the workflow's working directory: it installs genredag
# from the checkout, editable, so that the jobs run the code that their fingerprints name.
set -euo pipefail
checkout="${GENREDAG_CHECKOUT:-$PWD}"
if ! grep -qs '^name = "genredag"' "$checkout/pyproject.toml"; then
  echo "genredag: error: $checkout is not a checkout of genredag. Hint: export GENREDAG_CHECKOUT=/path/to/genredag" >&2
  exit 2
fi
"$CONDA_PREFIX/bin/python" -m pip install --no-deps --editable "$checkout"
"$CONDA_PREFIX/bin/python" -m pip check
