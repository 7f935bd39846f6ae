"""Render every usable track of a manifest once, into a frame store.

--frames names frames.npy; its index and spec go next to it. With --parts, shards have rendered the tracks.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from genredag.errors import exits_cleanly
from genredag.frames.rendering import render
from genredag.frames.shards import join_frames
from genredag.params.groups.reading import read_group
from genredag.params.groups.spectrograms import Rendering, read_representation
from genredag.runtime.cache import default_cache_dir
from genredag.runtime.flags import flag_parser
from genredag.runtime.logs import configure_logging


@exits_cleanly
def main(argv: list[str] | None = None) -> None:
    parser = flag_parser(__doc__, names="representation", paths="params manifest frames")
    parser.add_argument("--parts", type=Path, nargs="+")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    configure_logging()
    if args.parts:
        join_frames([part.parent for part in args.parts], args.frames.parent)
        return
    group = read_representation(args.params, args.representation)
    rendering = read_group(args.params, "spectrograms", Rendering)
    manifest = pd.read_parquet(args.manifest)
    folders = {"cache_dir": default_cache_dir(), "out_dir": args.frames.parent}
    render(manifest, args.representation, group, rendering, n_jobs=args.jobs, **folders)


if __name__ == "__main__":
    main()
