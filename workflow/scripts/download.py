"""Get a data set and write its manifest: what each track is, and which ones are in quarantine and why."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Sequence
from pathlib import Path

from genredag.atomic import write_csv, write_parquet
from genredag.cache import default_cache_dir
from genredag.datasets.manifest import quarantined
from genredag.datasets.registry import build_manifest
from genredag.errors import exits_cleanly
from genredag.logs import configure_logging
from genredag.params import load_params


@exits_cleanly
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--params", type=Path, required=True)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--quarantine", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    for output in (args.manifest, args.quarantine):  # a folder that can't be had is told before the work
        output.parent.mkdir(parents=True, exist_ok=True)
    params = load_params(args.params)
    if "DVC_STAGE" in os.environ:  # Snakemake asks for its models' weights before the first job
        # Loaded by its name: it knows all architectures, and data depend on none.
        pairing = importlib.import_module("genredag.pairing")
        pairing.obtain_weights(params, [params.model], default_cache_dir())
    manifest = build_manifest(args.dataset, params, default_cache_dir(), args.jobs)
    write_parquet(args.manifest, manifest)
    write_csv(args.quarantine, quarantined(manifest))


if __name__ == "__main__":
    main()
