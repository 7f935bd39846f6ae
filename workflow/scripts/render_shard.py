"""Render one shard of the usable tracks of a manifest, into a frame store of its own.

--frames names frames.npy; its index and spec go next to it.
"""

from __future__ import annotations

import pandas as pd

from genredag.errors import exits_cleanly
from genredag.frames.rendering import render
from genredag.params.groups.reading import read_group
from genredag.params.groups.spectrograms import Rendering, read_representation
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging
from genredag.tracks.shards import Shard


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    flags = {"names": "representation", "paths": "params manifest frames", "numbers": "shard n-shards"}
    parser = flag_parser(__doc__, **flags)
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    group = read_representation(args.params, args.representation)
    rendering = read_group(args.params, "spectrograms", Rendering)
    manifest = pd.read_parquet(args.manifest)
    shard = Shard(args.shard, args.n_shards)
    folders = {"cache_dir": default_cache_dir(), "out_dir": args.frames.parent}
    render(manifest, args.representation, group, rendering, n_jobs=args.jobs, shard=shard, **folders)


if __name__ == "__main__":
    main()
