import pandas as pd
import pytest


def test_the_leaderboard_has_the_same_rows_as_csv_and_markdown(small_report, squeezed):
    table = pd.read_csv(small_report / "leaderboard.csv")
    assert table["dataset"].tolist() == ["gtzan", *["synthetic"] * 4]
    assert table["split"].tolist()[1:] == [
        *("artist_disjoint", "leaky_slices", "stratified_8_1_1", "stratified_8_1_1")
    ]
    markdown = squeezed((small_report / "leaderboard.md").read_text()).splitlines()
    beside = ["track_low", "track_high", "slice_low", "slice_high"]
    assert markdown[0] == f"| {' | '.join(table.columns.drop(beside))} |"
    assert len(markdown) == 2 + len(table)


def test_one_experiment_in_one_flat_folder(tmp_path, make, report_script):
    manifest = make.manifest(tmp_path, ["blues", "rock"], tracks_per_genre=10)
    make.run(tmp_path, make.choice(), manifest, epochs=2)
    frames = make.frames(tmp_path, manifest, "mel")
    files = [tmp_path], [("synthetic", tmp_path / "manifest.parquet")], [("synthetic", frames)]
    first = make.report(report_script, tmp_path, *files)
    written = {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()}
    make.report(report_script, tmp_path, *files)
    assert {path.name: path.read_bytes() for path in first.iterdir() if path.is_file()} == written
    assert {"leaderboard.csv", "leaderboard.md", "report.html"} <= written.keys()


def test_a_missing_run_is_reported_in_one_line(tmp_path, make, report_script, capsys):
    with pytest.raises(SystemExit) as exit_:
        make.report(report_script, tmp_path, [tmp_path / "gone"], [])
    assert exit_.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"genredag: error: {tmp_path / 'gone' / 'metrics.json'}: No such file")
