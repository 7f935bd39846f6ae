import json
import os
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genredag.bundles.bundle import read_bundle, zipped
from genredag.bundles.parts import parse_part, read_part
from genredag.errors import ModelError


def length(n: int) -> bytes:
    return bytes([n]) if n < 128 else bytes([n % 128 | 128]) + length(n // 128)


def field(number: int, content: bytes) -> bytes:
    return length(number * 8 + 2) + length(len(content)) + content


def entry(key: str, value: str) -> bytes:
    return field(14, field(1, key.encode()) + field(2, value.encode()))


# A version, a large graph, a fixed-size field that ONNX doesn't have, and metadata.
MODEL = (
    b"\x08\x08" + field(7, bytes(100_000)) + b"\x7d\0\0\0\0" + entry("a.json", "1") + entry("é.md", "ü" * 90)
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.onnx"
    path.write_bytes(MODEL)
    return path


def test_reads_the_metadata_of_an_onnx_model(file):
    assert read_part(file, "a.json") == b"1"
    assert read_part(file, "é.md") == ("ü" * 90).encode()
    assert read_part(file, "b.json") is None


def test_reads_the_metadata_that_the_library_writes(tmp_path):
    onnx = pytest.importorskip("onnx")
    model = onnx.helper.make_model(onnx.helper.make_graph([], "empty", [], []), doc_string="x" * 300)
    onnx.helper.set_model_props(model, {"card.json": '{"é": 1}', "empty": ""})
    (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
    assert read_part(tmp_path / "model.onnx", "card.json") == '{"é": 1}'.encode()
    assert read_part(tmp_path / "model.onnx", "empty") == b""


def test_reads_a_file_in_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        archive.writestr("a.json", "1")
    assert read_part(tmp_path / "model.zip", "a.json") == b"1"
    assert read_part(tmp_path / "model.zip", "b.json") is None


@pytest.mark.parametrize("name", ["model.onnx", "model.zip"])
def test_refuses_a_part_that_is_too_large(name, file, tmp_path):
    with zipfile.ZipFile(tmp_path / "model.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("é.md", "ü" * 90)
    with pytest.raises(ModelError, match=rf"{name}: isn't a bundle \(é\.md has 180 bytes\)"):
        read_part(tmp_path / name, "é.md", max_bytes=179)


@pytest.mark.parametrize("end", [1, 3, 5, 1000, len(MODEL) - 1])
def test_refuses_a_truncated_model(file, end):
    file.write_bytes(MODEL[:end])
    with pytest.raises(ModelError, match=r"model\.onnx: isn't a bundle \(the file is truncated\)"):
        read_part(file, "z.json")


def test_refuses_a_file_that_is_not_a_zip(tmp_path):
    (tmp_path / "model.zip").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match=r"model\.zip: isn't a bundle \(File is not a zip file\)"):
        read_part(tmp_path / "model.zip", "a.json")


@given(content=st.binary(max_size=60), cut=st.integers(0, 40))
def test_any_bytes_give_a_part_or_an_error(tmp_path_factory, content, cut):
    path = tmp_path_factory.mktemp("any") / "model.onnx"
    for whole in (content, content[:cut] + entry("a.json", "1") + content[cut:]):
        path.write_bytes(whole)
        try:
            found = read_part(path, "a.json")
        except ModelError:
            continue
        assert found is None or isinstance(found, bytes)


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


@given(place=st.integers(0, 10_000), value=st.integers(0, 255), method=st.sampled_from(METHODS))
def test_a_damaged_zip_file_gives_the_part_or_an_error(tmp_path_factory, place, value, method):
    path = tmp_path_factory.mktemp("damaged") / "model.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, text in (("a.json", "{}"), ("bundle.json", '{"recipe": {}}')):
            archive.writestr(name, text)
    content = bytearray(path.read_bytes())
    content[place % len(content)] = value
    path.write_bytes(content)
    try:
        assert read_part(path, "a.json") in (b"{}", None)
        read_bundle(path)
    except ModelError as error:
        assert "model.zip: " in str(error)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 100_000, "maximum recursion depth exceeded"),
        ("nonsense", "Expecting value"),
        ("[]", "list indices must be integers"),
    ],
)
def test_a_text_that_cannot_be_parsed_is_one_clear_error(text, reason, tmp_path):
    (tmp_path / "model.zip").write_bytes(zipped({"a.json": text.encode()}))
    with pytest.raises(ModelError, match=rf"model\.zip: can't read a\.json: {reason}.*Hint: run the stage"):
        parse_part(tmp_path / "model.zip", "a.json", lambda text: json.loads(text)["key"])


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(ModelError, match=r"pipe\.zip: not a regular file; expected a bundle"):
        read_part(tmp_path / "pipe.zip", "bundle.json")
