def test_it(report):
    assert (report / "report.html").stat().st_size < 6e6
