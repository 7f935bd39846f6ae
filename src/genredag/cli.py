"""The command line: `genredag --help`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genredag.errors import exits_cleanly, require

app = typer.Typer(
    help="Music genre recognition, from download to report; `snakemake` and `dvc exp run` run the pipeline.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"genredag {version('genredag')}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command(
    "check-params",
    epilog="Example: `genredag check-params --against origin/main --output changes.md`",
)
@exits_cleanly
def check_params_command(
    against: Annotated[
        str | None, typer.Option(metavar="REF", help="Compare with this git commit, branch or tag.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.md", help="Also write the table to this file.")
    ] = None,
    tolerance: Annotated[float, typer.Option(min=0, max=1, help="Largest accepted drop in accuracy.")] = 0.05,
) -> None:
    """Check params.yaml: is it valid, does dvc.lock match, do Snakemake and DVC agree?

    With --against, also report which values changed, which stages each runner would rerun, and whether
    accuracy on a small data set drops, over several seeds. The exit status is 1 if a check fails, 2 after
    a user error.
    """
    require("snakemake", "dvc")
    from genredag.project.check_params import check_params

    raise typer.Exit(check_params(Path.cwd(), against, output, tolerance))


@app.command("validate", epilog="Example: `genredag validate && dvc repro`")
@exits_cleanly
def validate_command(
    fetch_weights: Annotated[
        bool, typer.Option("--fetch-weights", help="Download the published weights that `model` starts from.")
    ] = False,
) -> None:
    """Check params.yaml and studies.yaml before running anything: values, names, inputs of models."""
    from genredag.models.compatibility import obtain_weights
    from genredag.project.validation import load_valid_params
    from genredag.runtime.cache import default_cache_dir

    params = load_valid_params(Path("params.yaml"))
    if fetch_weights:
        obtain_weights(params, [params.model], default_cache_dir())


@app.command("set", epilog="Example: `genredag set slices.seconds=5 'matrix.model=[crnn, svm_rbf]'`")
@exits_cleanly
def set_command(
    assignments: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="New values, in YAML.")],
) -> None:
    """Change values in params.yaml. Comments are kept; an invalid value leaves the file unchanged."""
    from genredag.project.editing import set_values

    set_values(Path("params.yaml"), assignments)


@app.command(
    "generate",
    epilog="Example: `genredag generate --check`, `genredag generate --results results --name embedded`",
)
@exits_cleanly
def generate_command(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit status 1 if outdated.")] = False,
    results: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Copy the tables of this folder to docs/results.")
    ] = None,
    name: Annotated[str, typer.Option(help="Name of their folder there.")] = "embedded",
) -> None:
    """Regenerate derived files: documents, the parameter schema, the conda environment."""
    require("snakemake", "packaging")
    from genredag.project.adopted_results import adopt_results
    from genredag.project.generate import drift, write_generated

    project = Path.cwd()
    if results is not None:
        adopt_results(project, results, name)
    files = drift(project) if check else write_generated(project)
    for file in files:
        print(f"{'out of date' if check else 'written'}: {file.relative_to(project)}")
    if check and files:
        print("Hint: genredag generate")
        raise typer.Exit(1)


@app.command(
    "models",
    epilog="Example: `genredag models --json`. All of them, in the matrix: "
    '`genredag set "matrix.model=$(genredag models --ids)"`',
)
@exits_cleanly
def models_command(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    ids: Annotated[
        bool, typer.Option("--ids", help="Print only the ids, as a list for `matrix.model`.")
    ] = False,
    published: Annotated[
        bool, typer.Option("--published", help="With --ids: include the published presets.")
    ] = False,
) -> None:
    """List every learner: input, number of weights for ten genres, paper, and published accuracy.

    Recipes come from `params.yaml` in the current folder, or else from the one shipped with genredag.
    """
    from genredag.project.catalogue_listing import print_catalogue

    print_catalogue(as_json, ids, published)


@app.command(
    "predict",
    epilog="Example: `genredag predict song.mp3`, `genredag predict music/ -f csv,json -o out/music`",
)
@exits_cleanly
def predict_command(
    songs: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
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
        str,
        typer.Option("--format", "-f", help="Of table, json, jsonl, csv, parquet, audacity; with commas."),
    ] = "table",
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
        int | None, typer.Option("--jobs", "-j", min=1, help="Processes that decode. Default: all cores.")
    ] = None,
    write_tags: Annotated[
        bool, typer.Option("--write-tags", help="Show the genres that --apply writes into the files' tags.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="With --write-tags: write.")] = False,
    min_confidence: Annotated[
        float, typer.Option(min=0, max=1, help="Tag only songs whose genre is at least this probable.")
    ] = 0.0,
    only_empty: Annotated[bool, typer.Option("--only-empty", help="Tag only songs without a genre.")] = False,
    max_genres: Annotated[
        int,
        typer.Option(
            min=1, help="At most this many genres a file; each at least half as probable as the first."
        ),
    ] = 1,
    undo_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="Note of the earlier tags; default: genredag-undo-<time>.jsonl here."
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

    tags = tag_wishes(write_tags, apply, TagOptions(min_confidence, only_empty, max_genres), undo_file)
    limits = Limits(max_megabytes=max_megabytes, max_seconds=max_seconds, allow_local=allow_local)
    names = [name.strip() for name in formats.split(",") if name.strip()]
    places = {"output": output, "plot": plot, "explain": explain, "journal": journal}
    wishes = Wishes(
        songs, model or [], names, **places, timeline=timeline, n_jobs=jobs, tags=tags, limits=limits
    )
    raise typer.Exit(predict_songs(wishes, sys.stdin))


@app.command("export", epilog="Example: `genredag export results/.../model.zip --onnx crnn.onnx`")
@exits_cleanly
def export_command(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A `model.zip` or `bundle.zip`.")],
    onnx: Annotated[Path, typer.Option("--onnx", metavar="FILE.onnx", help="The file to write.")],
) -> None:
    """Export a bundle as one ONNX model, which predicts without TensorFlow.

    Its model card and its calibration become metadata of the model.
    """
    from genredag.bundles.export import export_onnx
    from genredag.bundles.loading import is_network

    if is_network(bundle):
        from genredag.runtime.backend import configure_backend

        configure_backend(threads=1)
    difference = export_onnx(bundle, onnx)
    print(f"written: {onnx}; its probabilities differ by at most {difference:.1g}")


@app.command("bundles", epilog="Example: `genredag bundles`, `genredag bundles shared_models --json`")
@exits_cleanly
def bundles_command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A project, or any folder that holds bundles.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print paths and model cards as JSON.")] = False,
) -> None:
    """List the bundles (`model.zip`) of a project, the best first by accuracy on validation tracks."""
    from rich.console import Console

    from genredag.bundles.found import bundles_json, bundles_table, list_bundles

    found = list_bundles(folder)
    if as_json:
        print(bundles_json(found))
    elif found:
        Console(width=None if Console().is_terminal else 200).print(bundles_table(found))
    else:
        print("No bundles. Hint: `snakemake` or `dvc exp run` train one.")


@app.command("card", epilog="Example: `genredag card experiment/model.zip`")
@exits_cleanly
def card_command(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A model.zip.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of Markdown.")] = False,
) -> None:
    """Print a model card: what the model was trained on, how good it is, and where it fails."""
    from rich.console import Console
    from rich.markdown import Markdown

    from genredag.bundles.card import require_card

    card = require_card(bundle)
    if as_json:
        print(card.json_text(), end="")
    elif Console().is_terminal:
        Console().print(Markdown(card.markdown()))
    else:
        print(card.markdown(), end="")


@app.command(
    "search",
    epilog="Example: `dvc exp run --queue --name grid -S 'models.crnn.batch_size=16,32' -S seed=1,2`, "
    "`dvc queue start -j 2`, then `genredag search grid --plot grid.png`",
)
@exits_cleanly
def search_command(
    name: Annotated[str, typer.Argument(help="The name that the experiments were queued under.")],
    table: Annotated[
        Path | None, typer.Option(metavar="FILE.csv", help="Also write the table to this file.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Plot the cells to this file.")
    ] = None,
) -> None:
    """Compare the cells of a hyper-parameter search on validation tracks; test the selected cell only."""
    require("dvc")
    from genredag.evaluation.plots import save_figure
    from genredag.project.search import read_search, search_figure, search_table
    from genredag.runtime.files import write_csv

    experiments, unfinished = read_search(Path.cwd(), name)
    cells = search_table(experiments)
    print(cells.to_string(index=False, na_rep="", float_format=lambda value: f"{value:.6g}"))
    print("The first cell is selected, on validation tracks; test accuracy is shown for this cell only.")
    if unfinished:
        print(f"{unfinished} more are unfinished; see `dvc queue status`")
    if table is not None:
        write_csv(table, cells)
    if plot is not None:
        save_figure(plot, search_figure(cells))


@app.command("evaluate", epilog="Example: `genredag evaluate model.zip my_music --output results/my_music`")
@exits_cleanly
def evaluate_command(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A trained model.")],
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="`<genre>/**/*.mp3`, or a CSV: path,genre[,artist].")
    ],
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write metrics, predictions, figures and a page here.")
    ] = None,
    renamed: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="THEIRS=OURS",
            help="Their name of a genre and the model's; repeat it for several.",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that decode songs.")] = 1,
) -> None:
    """Test a trained model on other labelled music than its own data set.

    Genres are matched by name; those that the model does not know are reported and left out.
    """
    from genredag.report.external_command import evaluate_folder

    evaluate_folder(bundle, folder, output, renamed or [], jobs)


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
        typer.Argument(metavar="MODEL...", help="Trained models, or folders to look for them in."),
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
    """Open a page that names the genres of a song: drop, record or link one, and play it.

    Without MODEL it offers the models under `results` and `experiment`, the best on validation tracks first.
    """
    require("anyio", "fastapi", "starlette", "uvicorn")
    from genredag.prediction.app.command import run_app
    from genredag.prediction.app.limits import Limits

    limits = Limits(upload_bytes=max_upload_mb * 2**20, song_seconds=max_minutes * 60)
    run_app(models or [Path()], host, port, limits, allow_local)


if __name__ == "__main__":
    app()
