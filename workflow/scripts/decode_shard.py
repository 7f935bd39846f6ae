"""Decode each track of one shard of a data set once, to learn whether it can be used."""

from __future__ import annotations

from collections.abc import Sequence

from genredag.datasets.registry import probe_tracks
from genredag.datasets.shards import read_listing, write_probes
from genredag.errors import exits_cleanly
from genredag.params.groups.datasets import Download, read_data_set
from genredag.params.groups.reading import read_group
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging
from genredag.tracks.shards import Shard


@exits_cleanly
def main(argv: Sequence[str] | None = None) -> None:
    parser = flag_parser(__doc__, names="dataset", paths="params tracks probes", numbers="shard n-shards")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    listed = read_listing(args.tracks).tracks
    tracks = listed.iloc[Shard(args.shard, args.n_shards).rows(len(listed))]
    probes = probe_tracks(
        args.dataset,
        tracks,
        read_data_set(args.params, args.dataset),
        read_group(args.params, "download", Download),
        default_cache_dir(),
        args.jobs,
    )
    write_probes(args.probes, tracks, probes)


if __name__ == "__main__":
    main()
