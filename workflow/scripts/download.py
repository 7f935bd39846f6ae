"""Get a data set and write its manifest, and the list of quarantined tracks with reasons.

With --tracks and --probes, shards have listed and decoded the tracks.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from genredag.datasets.registry import build_manifest, join_manifest
from genredag.errors import exits_cleanly
from genredag.params.groups.datasets import Download, read_data_set
from genredag.params.groups.reading import read_group
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.files import write_csv, write_parquet
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging
from genredag.tracks.manifest import quarantine_table


@exits_cleanly
def main(argv: Sequence[str] | None = None) -> None:
    parser = flag_parser(__doc__, names="dataset", paths="params manifest quarantine")
    parser.add_argument("--tracks", type=Path)
    parser.add_argument("--probes", type=Path, nargs="+")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    for output in (args.manifest, args.quarantine):  # fail early if it can't be created
        output.parent.mkdir(parents=True, exist_ok=True)
    download = read_group(args.params, "download", Download)
    if args.probes:
        manifest, left_out = join_manifest(args.dataset, args.tracks, args.probes, download)
    else:
        group = read_data_set(args.params, args.dataset)
        manifest, left_out = build_manifest(args.dataset, group, download, default_cache_dir(), args.jobs)
    write_parquet(args.manifest, manifest)
    write_csv(args.quarantine, quarantine_table(manifest, left_out))


if __name__ == "__main__":
    main()
