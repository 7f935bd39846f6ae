"""Commands for songs: predict their genres, tag them, open the app."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genredag.errors import exits_cleanly, require

app = typer.Typer()


@app.command(
    "predict",
    epilog="Example: `genredag predict song.mp3`, `genredag predict music/ -f csv,json -o out/music`",
)
@exits_cleanly
def predict_command(
    songs: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Files, folders, quoted patterns, http(s) addresses, or - for a list on stdin.",
        ),
    ],
    model: Annotated[
        list[Path] | None,
        typer.Option(
            "--model", "-m", metavar="FILE", help="A bundle; several predict together. Default: the best."
        ),
    ] = None,
    formats: Annotated[
        str | None,
        typer.Option(
            "--format",
            "-f",
            help="Of table, json, jsonl, csv, parquet, audacity; with commas. Default: table, and what the"
            " suffix of --output says.",
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR/NAME", help="Write a file for each format.")
    ] = None,
    timeline: Annotated[
        bool, typer.Option("--timeline", help="Also show or write genres over time.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png|DIR", help="Plot genres and spectrogram.")
    ] = None,
    explain: Annotated[
        Path | None, typer.Option(metavar="FILE.png|DIR", help="Plot which times and bands decided.")
    ] = None,
    journal: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Remember songs, to resume. Default: NAME.journal next to --output."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            help="Processes that decode, at most one per core, which is the default for many songs.",
        ),
    ] = None,
    write_tags: Annotated[
        bool, typer.Option("--write-tags", help="Show the genres that --apply writes into the files' tags.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="With --write-tags: write.")] = False,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Tag only songs whose genre is at least this probable.")
    ] = 0.0,
    only_empty: Annotated[bool, typer.Option("--only-empty", help="Tag only songs without a genre.")] = False,
    only_sure: Annotated[
        bool,
        typer.Option("--only-sure", help="Don't tag songs that are unsure or unlike the training music."),
    ] = False,
    max_genres: Annotated[
        int,
        typer.Option(
            min=1, help="At most this many genres a file; each at least half as probable as the first."
        ),
    ] = 1,
    undo_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="Note of the earlier tags; default: genredag-undo-TIME.jsonl here."
        ),
    ] = None,
    max_megabytes: Annotated[float, typer.Option(min=0.001, help="Largest file that is fetched.")] = 200.0,
    max_seconds: Annotated[float, typer.Option(min=0.1, help="Longest time that fetching takes.")] = 120.0,
    allow_local: Annotated[
        bool, typer.Option("--allow-local", help="Fetch from the local network, too.")
    ] = False,
) -> None:
    """Predict the genres of songs, and say how far to trust the prediction.

    The exit status is 1 if a song can't be read or tagged, and 2 after a user error.
    """
    import sys

    from genredag.prediction.command import Wishes, predict_songs
    from genredag.prediction.fetching import Limits
    from genredag.prediction.tags import TagOptions, tag_wishes

    tags = tag_wishes(
        write_tags, apply, TagOptions(min_confidence, only_empty, only_sure, max_genres), undo_file
    )
    limits = Limits(max_megabytes=max_megabytes, max_seconds=max_seconds, allow_local=allow_local)
    names = None if formats is None else [name.strip() for name in formats.split(",") if name.strip()]
    places = {"output": output, "plot": plot, "explain": explain, "journal": journal}
    wishes = Wishes(
        songs, model or [], names, **places, timeline=timeline, n_jobs=jobs, tags=tags, limits=limits
    )
    raise typer.Exit(predict_songs(wishes, sys.stdin))


@app.command("undo-tags", epilog="Example: `genredag undo-tags genredag-undo-20250131-181500-3f2a.jsonl`")
@exits_cleanly
def undo_tags_command(
    undo_file: Annotated[Path, typer.Argument(metavar="FILE", help="What `genredag predict --apply` wrote.")],
) -> None:
    """Restore the genres that audio files were tagged with before `genredag predict --write-tags --apply`.

    Files whose genre was changed since then are left as they are. The exit status is 1 if there are any.
    """
    from rich.console import Console

    from genredag.prediction.tags import print_result, undo

    result = undo(undo_file)
    print_result(result, Console())
    raise typer.Exit(1 if result.failed else 0)


@app.command("app", epilog="Example: `genredag app`, `genredag app results/gtzan --port 8080`")
@exits_cleanly
def app_command(
    models: Annotated[
        list[Path] | None,
        typer.Argument(metavar="MODEL", help="Trained models, or folders to look for them in."),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 opens the app to the network.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8000,
    max_upload_mb: Annotated[int, typer.Option(min=1, help="Largest file of a song, in MB.")] = 100,
    max_minutes: Annotated[float, typer.Option(min=0.1, help="Longest song, in minutes.")] = 30,
    allow_local: Annotated[
        bool, typer.Option("--allow-local", help="Let links lead to addresses of the local network.")
    ] = False,
) -> None:
    """Serve a page that names the genres of a song: drop, record or link one, and play it.

    Without MODEL it offers the models under `results` and `experiment`, the best on validation tracks first.
    """
    require("anyio", "fastapi", "starlette", "uvicorn")
    from genredag.prediction.app.command import run_app
    from genredag.prediction.app.limits import Limits

    limits = Limits(upload_bytes=max_upload_mb * 2**20, song_seconds=max_minutes * 60)
    run_app(models or [Path()], host, port, limits, allow_local)
