"""Commands for trained models: list them, read their cards, export and test them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genredag.errors import ParameterError, exits_cleanly

app = typer.Typer()


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

    if not folder.is_dir():
        raise ParameterError("no such folder", where=str(folder))
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
    from genredag.bundles.parts import is_network

    if is_network(bundle):
        from genredag.runtime.backend import configure_backend

        configure_backend(threads=1)
    difference = export_onnx(bundle, onnx)
    print(f"written: {onnx}; its probabilities differ by at most {difference:.1g}")


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
    jobs: Annotated[int, typer.Option(min=1, help="Processes that decode songs, at most one per core.")] = 1,
) -> None:
    """Test a trained model on other labelled music than its own data set.

    Genres are matched by name; those that the model does not know are reported and left out.
    The exit status is 1 if a file can't be read.
    """
    from genredag.report.external_command import evaluate_folder

    raise typer.Exit(0 if evaluate_folder(bundle, folder, output, renamed or [], jobs) else 1)
