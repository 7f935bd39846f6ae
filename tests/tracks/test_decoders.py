"""Files as users have them: every format, cut files, chained files, files that are not what they say."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from genredag.errors import DataError
from genredag.tracks.audio import SUFFIXES, decode, open_blocks, probe
from genredag.tracks.decoders import BLOCK, _File, open_channels

LIMITS = {"min_seconds": 0.5, "silence_db": -60.0}
SR = 44_100
COMPRESSED = {
    "mp3": "libmp3lame",
    "mp2": "mp2",
    "ogg": "libvorbis",
    "oga": "libopus",
    "opus": "libopus",
    "m4a": "aac",
    "mp4": "alac",
    "aac": "aac",
    "wma": "wmav2",
    "ac3": "ac3",
    "webm": "libopus",
    "mka": "libmp3lame",
    "tta": "tta",
    "wv": "wavpack",
    "caf": "alac",
}


def tone(seconds: float = 2.0, sr: int = SR, frequency: float = 441.0) -> np.ndarray:
    return 0.5 * np.sin(2 * np.pi * frequency * np.arange(round(seconds * sr)) / sr)


def noise(seconds: float, seed: int = 0, n_channels: int = 1, sr: int = SR) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal((round(seconds * sr), n_channels))


@pytest.mark.parametrize("suffix", COMPRESSED)
def test_every_format_is_decoded(tmp_path, encode, suffix):
    codec = COMPRESSED[suffix]
    sr = 48_000 if codec == "libopus" else SR
    path = encode(tmp_path / f"a.{suffix}", tone(sr=sr), sr, codec, bit_rate=128_000)
    found = probe(path, **LIMITS)
    assert path.suffix in SUFFIXES
    assert (found.problem, found.sr) == ("", sr)
    assert found.duration == pytest.approx(2.0, abs=0.1)  # encoders pad the last packet
    middle = decode(path)[0][sr // 2 : sr // 2 + sr]
    assert np.abs(np.fft.rfft(middle)).argmax() == 441
    assert np.abs(middle).max() == pytest.approx(0.5, rel=0.1)
    assert probe(path, **LIMITS) == found


@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("ogg", "libvorbis")])
def test_mp3_and_vorbis_are_those_of_libsndfile_to_a_millionth(tmp_path, encode, suffix, codec):
    path = encode(tmp_path / f"a.{suffix}", noise(3), SR, codec, bit_rate=128_000)
    expected, _ = soundfile.read(path, dtype="float32")
    np.testing.assert_allclose(decode(path)[0], expected, atol=2e-6)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
def test_wav_samples_are_those_of_libsndfile(tmp_path, subtype):
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(7, n_channels=2), SR, subtype=subtype)  # longer than a block
    expected, _ = soundfile.read(path, dtype="float32", always_2d=True)
    np.testing.assert_array_equal(decode(path)[0], expected.mean(axis=1, dtype=np.float32))


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "au", "caf"])
def test_pcm_is_left_to_libsndfile(tmp_path, monkeypatch, suffix):
    soundfile.write(tmp_path / f"a.{suffix}", tone(), SR)
    monkeypatch.setattr("av.open", None)
    assert probe(tmp_path / f"a.{suffix}", **LIMITS).problem == ""


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
def test_blocks_are_the_samples_of_the_file(tmp_path, encode, suffix):
    path = tmp_path / f"a.{suffix}"
    if suffix == "mp3":
        encode(path, noise(13), SR, "libmp3lame")
    else:
        soundfile.write(path, noise(13), SR)
    for sr in (SR, 22_050):
        with open_blocks(path, sr) as (given_sr, blocks):
            parts = list(blocks)
        assert given_sr == sr
        assert len(parts) > 2
        assert max(map(len, parts)) <= 1.1 * BLOCK
        np.testing.assert_array_equal(np.concatenate(parts), decode(path, sr)[0])


def test_a_cut_mp3_is_as_long_as_what_is_there(tmp_path, encode):
    path = encode(tmp_path / "a.mp3", noise(20), SR, "libmp3lame", bit_rate=128_000)
    whole = decode(path)[0]
    path.write_bytes(path.read_bytes()[:160_000])
    found = [probe(path, **LIMITS) for _ in range(3)]
    assert found[0].duration == pytest.approx(9.95, abs=0.05)
    assert found[0].problem == ""
    assert found == [found[0]] * 3
    cut = decode(path)[0]
    np.testing.assert_array_equal(cut[:-1200], whole[: len(cut) - 1200])


def test_an_mp3_cut_within_the_first_block_has_no_stale_samples(tmp_path, encode):
    path = encode(tmp_path / "a.mp3", noise(5), SR, "libmp3lame", bit_rate=128_000)
    path.write_bytes(path.read_bytes()[:30_000])
    found = []
    for seed in range(3):
        found.append(probe(path, **LIMITS))
        del seed
    assert found[0].duration == pytest.approx(1.85, abs=0.05)
    assert found == [found[0]] * 3


def test_a_wav_header_that_promises_more_is_not_believed(tmp_path):
    path = tmp_path / "a.wav"
    soundfile.write(path, tone(), SR)
    path.write_bytes(path.read_bytes()[: 44 + 2 * SR])
    assert probe(path, **LIMITS).duration == pytest.approx(1.0, abs=1e-4)


def test_a_variable_bit_rate_without_a_table_of_contents_is_decoded_as_a_whole(tmp_path, encode):
    parts = [
        encode(
            tmp_path / f"{rate}.mp3", noise(4, rate), SR, "libmp3lame", bit_rate=1000 * rate, write_xing="0"
        )
        for rate in (32, 256)
    ]
    path = tmp_path / "a.mp3"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert probe(path, **LIMITS).duration == pytest.approx(8.0, abs=0.15)


@pytest.mark.parametrize(
    ("suffix", "codec"), [("ogg", "libvorbis"), ("opus", "libopus"), ("mp3", "libmp3lame"), ("aac", "aac")]
)
def test_files_in_one_are_decoded_to_the_end(tmp_path, encode, suffix, codec):
    sr = 48_000
    parts = [encode(tmp_path / f"{i}.{suffix}", noise(3, i, 2, sr), sr, codec) for i in (1, 2)]
    path = tmp_path / f"chained.{suffix}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    found = probe(path, **LIMITS)
    assert found.problem == ""
    assert found.duration == pytest.approx(6.0, abs=0.15)
    first, second = decode(path)[0][:sr], decode(parts[0])[0][:sr]
    np.testing.assert_allclose(first, second, atol=1e-3)


def test_mono_after_stereo_is_mixed(tmp_path, encode):
    parts = [encode(tmp_path / f"{n}.mp3", noise(2, n, n), SR, "libmp3lame") for n in (2, 1)]
    path = tmp_path / "a.mp3"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert probe(path, **LIMITS).duration == pytest.approx(4.0, abs=0.15)


@pytest.mark.parametrize(("suffix", "codec"), [("mp3", "libmp3lame"), ("ogg", "libvorbis")])
def test_another_sample_rate_within_a_file_is_refused(tmp_path, encode, suffix, codec):
    parts = [encode(tmp_path / f"{sr}.{suffix}", noise(2, sr=sr), sr, codec) for sr in (44_100, 22_050)]
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert probe(path, **LIMITS).problem.startswith("unreadable: ")


@pytest.mark.parametrize(
    ("suffix", "codec", "n_channels"),
    [
        *(("m4a", "aac", n) for n in (2, 3, 6, 8)),  # eight ended the process, with PyAV's own array
        ("ogg", "libvorbis", 8),
        *(("m4a", "alac", 6), ("ac3", "ac3", 6), ("wma", "wmav2", 2)),
    ],
)
def test_several_channels_are_averaged(tmp_path, encode, suffix, codec, n_channels):
    channels = np.zeros((2 * SR, n_channels))
    channels[:, :2] = tone()[:, np.newaxis]
    path = encode(tmp_path / f"a.{suffix}", channels, SR, codec, bit_rate=64_000 * n_channels)
    with open_channels(path) as (_, blocks):
        assert {block.shape[1] for block in blocks} == {n_channels}
    middle = decode(path)[0][SR // 2 : SR]
    assert np.abs(middle).max() == pytest.approx(0.5 * 2 / n_channels, rel=0.1)


def test_a_flac_without_a_length_is_decoded(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(), SR)
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the number of samples in the header: 36 bits
    content[22:26] = bytes(4)
    content[26:42] = bytes(16)  # the MD5 of the samples
    expected, _ = decode(path)
    path.write_bytes(content)
    np.testing.assert_array_equal(decode(path)[0], expected)


def test_a_flac_after_an_id3_tag_is_decoded_exactly(tmp_path):
    path = tmp_path / "a.flac"
    soundfile.write(path, tone(), SR)
    expected, _ = decode(path)
    path.write_bytes(b"ID3\x04\x00\x00" + bytes([0, 0, 2, 0]) + bytes(256) + path.read_bytes())
    np.testing.assert_array_equal(decode(path)[0], expected)


def test_mp3_in_a_wav_file_is_decoded(tmp_path, encode):
    path = encode(tmp_path / "a.wav", tone(), SR, "libmp3lame", bit_rate=128_000)
    assert probe(path, **LIMITS).duration == pytest.approx(2.0, abs=0.1)


def test_a_cover_and_tags_in_another_encoding_do_no_harm(tmp_path, encode):
    path = encode(tmp_path / "a.mp3", tone(), SR, "libmp3lame")
    text = b"TIT2" + (6).to_bytes(4) + b"\0\0" + b"\x03caf\xe9!"
    path.write_bytes(b"ID3\x03\x00\x00" + bytes([0, 0, 0, len(text)]) + text + path.read_bytes())
    assert probe(path, **LIMITS).problem == ""


def cut_mp4(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize("codec", ["aac", "alac"])
def test_a_truncated_m4a_says_so(tmp_path, encode, codec):
    path = encode(tmp_path / "a.m4a", noise(4), SR, codec)
    cut_mp4(path)
    assert probe(path, **LIMITS).problem == "unreadable: truncated: the file ends before its index"
    with pytest.raises(DataError, match=r"truncated.*Hint: copy or download the file again"):
        decode(path)


def test_an_m4a_with_its_index_first_is_as_long_as_what_is_there(tmp_path, encode):
    path = encode(tmp_path / "a.m4a", noise(8), SR, "aac", movflags="faststart")
    cut_mp4(path)
    assert 3 < probe(path, **LIMITS).duration < 5


def box(name: bytes, content: bytes, promised: int | None = None) -> bytes:
    """Return a box of an MP4 file; one that promises more than 4 GiB, or more than it has, is cut."""
    size = 8 + len(content) if promised is None else promised
    return size.to_bytes(4) + name + content


def large_box(name: bytes, content: bytes, promised: int | None = None) -> bytes:
    """Return a box with a size of 64 bits, as recordings of more than 4 GiB have."""
    size = 16 + len(content) if promised is None else promised
    return (1).to_bytes(4) + name + size.to_bytes(8) + content


def test_an_m4a_whose_sizes_have_64_bits_is_decoded_and_if_cut_says_so(tmp_path, encode):
    path = encode(tmp_path / "a.m4a", noise(4), SR, "alac")
    expected, content = decode(path)[0], path.read_bytes()
    place = content.index(b"mdat") - 4
    assert content[place - 8 : place] == box(b"free", b"")  # FFmpeg leaves this room for 64 bits
    size = int.from_bytes(content[place : place + 4]) + 8
    content = content[: place - 8] + large_box(b"mdat", content[place + 8 :], size)
    path.write_bytes(content)
    np.testing.assert_array_equal(decode(path)[0], expected)
    path.write_bytes(content[: len(content) // 2])
    assert probe(path, **LIMITS).problem == "unreadable: truncated: the file ends before its index"


DAMAGED_INDEX = box(b"moov", b"", 3)  # of an impossible size, so that FFmpeg refuses the file


@pytest.mark.parametrize(
    ("boxes", "truncated"),
    [
        ([box(b"mdat", bytes(40)), DAMAGED_INDEX], False),
        ([large_box(b"mdat", bytes(40)), DAMAGED_INDEX], False),
        ([large_box(b"mdat", bytes(40), 1 << 40)], True),
        ([DAMAGED_INDEX, box(b"mdat", bytes(40), 0)], False),  # 0: to the end of the file
        ([box(b"mdat", bytes(40))], True),
        ([box(b"mdat", bytes(40))[:4]], True),
        ([DAMAGED_INDEX, box(b"mdat", bytes(40))[:4]], False),
        ([DAMAGED_INDEX, box(b"mdat", bytes(40))[:44]], True),
    ],
)
def test_an_mp4_is_truncated_if_a_box_or_the_index_lacks(tmp_path, boxes, truncated):
    path = tmp_path / "a.mp4"
    for brands in (b"isomiso2", b"isomiso2mp41avc1"):  # boxes begin at other places
        path.write_bytes(box(b"ftyp", brands) + b"".join(boxes))
        reason = "truncated: the file ends before its index" if truncated else "Format not recognised"
        assert probe(path, **LIMITS).problem == f"unreadable: {reason}"


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
def test_what_is_no_audio_is_reported(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.touch()
    assert probe(path, **LIMITS).problem == "unreadable: the file is empty"
    for content in (b"no music", np.random.default_rng(0).bytes(50_000), b"<html>" * 999, bytes(9999)):
        path.write_bytes(content)
        assert probe(path, **LIMITS).problem.startswith(("unreadable: ", "too short: "))


def test_a_playlist_is_not_followed(tmp_path, encode):
    encode(tmp_path / "b.mp3", tone(), SR, "libmp3lame")
    path = tmp_path / "a.mp3"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nb.mp3\n#EXT-X-ENDLIST\n")
    assert probe(path, **LIMITS).problem == "unreadable: Format not recognised"
    path.write_text("ffconcat version 1.0\nfile b.mp3\n")
    assert probe(path, **LIMITS).problem == "unreadable: Format not recognised"


def test_a_film_without_sound_is_reported(tmp_path):
    import av

    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width = stream.height = 32
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((32, 32, 3), np.uint8))))
        container.mux(stream.encode(None))
    assert probe(path, **LIMITS).problem == "unreadable: no audio in this file"


@pytest.mark.parametrize(("seconds", "allowed"), [(4, 2), (20, 4)])
def test_two_packets_and_one_percent_may_be_damaged(tmp_path, encode, seconds, allowed):
    import av

    path = encode(tmp_path / "a.m4a", noise(seconds), SR, "alac")
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(audio=0) if packet.size]
    assert allowed < 2 + 0.01 * len(packets) < allowed + 1
    content = bytearray(path.read_bytes())
    for place, size in packets[5 : 5 + allowed]:
        content[place : place + size] = bytes(size)
    path.write_bytes(content)
    lost = 4096 * allowed / SR
    assert probe(path, **LIMITS).duration == pytest.approx(seconds - lost, abs=0.01)
    place, size = packets[5 + allowed]
    content[place : place + size] = bytes(size)
    path.write_bytes(content)
    assert probe(path, **LIMITS).problem.startswith(f"unreadable: damaged: {allowed + 1} of ")


def test_damage_in_the_middle_is_reported(tmp_path, encode):
    path = encode(tmp_path / "a.aac", noise(10), SR, "aac")
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(0)
    for place in rng.integers(5_000, len(content), 3_000):
        content[place] ^= 0xFF
    path.write_bytes(content)
    found = probe(path, **LIMITS)
    assert found.problem.startswith(
        ("unreadable: damaged: ", "unreadable: not audio", "unreadable: the sample")
    )


def test_a_damaged_header_is_a_reason_and_prints_nothing(tmp_path, encode, capfd):
    """Some of these headers make FFmpeg look for data before the beginning of the file."""
    path = encode(tmp_path / "a.wma", tone(0.5), SR, "wmav2", bit_rate=128_000)
    content, refused = path.read_bytes(), 0
    for i in range(500):
        path.write_bytes(content[:i] + b"\xff" + content[i + 1 :])
        try:
            decode(path)
        except DataError:
            refused += 1
    assert refused > 50
    assert capfd.readouterr().err == ""


def test_an_impossible_seek_is_answered_as_ffmpeg_answers_it(tmp_path):
    (tmp_path / "a.wma").write_bytes(bytes(100))
    with _File((tmp_path / "a.wma").open("rb", buffering=0)) as file:
        assert [file.seek(at) for at in (40, -5, 60)] == [40, -1, 60]


def test_any_exception_of_a_decoder_is_a_reason(tmp_path, encode, monkeypatch):
    import av

    path = encode(tmp_path / "a.mp3", tone(), SR, "libmp3lame")
    for error, what in (
        (RuntimeError("odd"), "RuntimeError: odd"),
        (IndexError("x"), "IndexError: x"),
        (MemoryError(), "MemoryError: "),
        (av.PatchWelcomeError(1, "not yet"), "not yet"),
    ):
        monkeypatch.setattr(av, "AudioFifo", lambda error=error: (_ for _ in ()).throw(error))
        assert probe(path, **LIMITS).problem.startswith(f"unreadable: can't be decoded ({what})")


def test_a_folder_or_an_unreadable_file_is_reported(tmp_path, monkeypatch):
    (tmp_path / "a.mp3").mkdir()
    assert probe(tmp_path / "a.mp3", **LIMITS).problem == "missing"
    soundfile.write(tmp_path / "b.wav", tone(), SR)

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.open", refuse)
    assert probe(tmp_path / "b.wav", **LIMITS).problem == "unreadable: Permission denied"


@pytest.mark.parametrize(("sr", "usable"), [(3_999, False), (4_000, True), (384_000, True), (384_001, False)])
def test_sample_rates_of_no_music_are_refused(tmp_path, sr, usable):
    soundfile.write(tmp_path / "a.wav", tone(1, sr, sr / 10), sr)
    problem = "" if usable else f"unreadable: sample rate {sr} Hz; expected 4000 to 384000 Hz"
    assert probe(tmp_path / "a.wav", **LIMITS).problem == problem
