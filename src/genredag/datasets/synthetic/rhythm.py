"""Rhythm: a bar of four beats is written as sixteen steps, as on a drum machine."""

from __future__ import annotations

import numpy as np

STEPS = 16  # of a bar
BEATS = 4  # of a bar
VELOCITIES = {"X": 1.0, "x": 0.7, "o": 0.35}  # accent, stroke, ghost note; a dot is a rest

BACKBEAT = "....X.......X..."
EIGHTHS = "X.x.X.x.X.x.X.x."
FOUR_ON_THE_FLOOR = "X...X...X...X..."

# One bar per drum.
GROOVES: dict[str, dict[str, str]] = {
    "none": {},
    "timpani": {"timpani": "X...........x.x."},
    "shuffle": {"kick": "X.......X.x.....", "snare": BACKBEAT, "ride": "x.x.x.x.x.x.x.x."},
    "slow_blues": {"kick": "X.....x.X.......", "snare": BACKBEAT, "hat": "x.x.x.x.x.x.x.x."},
    "backbeat": {"kick": "X.......X.x.....", "snare": BACKBEAT, "hat": EIGHTHS},
    "driving": {"kick": "X.x...x.X.x...x.", "snare": BACKBEAT, "open": EIGHTHS},
    "stomp": {
        "kick": "X..x..x.X.......",
        "snare": BACKBEAT,
        "hat": FOUR_ON_THE_FLOOR,
        "tambourine": BACKBEAT,
    },
    "half_time": {"kick": "X.....x.....x...", "snare": "........X.......", "crash": FOUR_ON_THE_FLOOR},
    "ballad": {"kick": "X......x........", "rim": BACKBEAT, "hat": "x.o.x.o.x.o.x.o."},
    "train": {"kick": "x.......x.......", "brush": "xoxoXoxoxoxoXoxo"},
    "two_step": {"kick": "X.......X.......", "snare": BACKBEAT, "hat": "x.x.x.x.x.x.x.x."},
    "disco": {
        "kick": FOUR_ON_THE_FLOOR,
        "snare": BACKBEAT,
        "open": "..X...X...X...X.",
        "hat": "x...x...x...x...",
    },
    "disco_16": {
        "kick": FOUR_ON_THE_FLOOR,
        "clap": BACKBEAT,
        "hat": "xoXoxoXoxoXoxoXo",
        "conga": "..x..x.x..x..xx.",
    },
    "dance_pop": {
        "kick": FOUR_ON_THE_FLOOR,
        "clap": BACKBEAT,
        "hat": "..x...x...x...x.",
        "shaker": "oxoxoxoxoxoxoxox",
    },
    "synth_pop": {"kick": "X.......X..x....", "snare": BACKBEAT, "hat": "xxxxxxxxxxxxxxxx"},
    "boom_bap": {"kick": "X..x......X.....", "snare": BACKBEAT, "hat": EIGHTHS},
    "boom_bap_busy": {"kick": "X.x....x.xX.....", "snare": "....X..o.o..X..o", "hat": "x.xox.x.x.x.xox."},
    "trap": {"kick": "X......x..X.....", "clap": "........X.......", "hat": "x.x.x.xxx.x.xxxx"},
    "swing": {"kick": "o...o...o...o...", "hat": "....x.......x...", "ride": "X...x.x.X...x.x."},
    "swing_brushes": {"brush": "x.o.X.o.x.o.X.o.", "hat": "....x.......x..."},
    "bossa": {"kick": "x..xx..xx..xx..x", "rim": "x..x..x...x..x..", "shaker": "xoxoxoxoxoxoxoxo"},
    "one_drop": {"kick": "........X.......", "rim": "........X.......", "hat": "x.x.X.x.x.x.X.x."},
    "steppers": {"kick": FOUR_ON_THE_FLOOR, "rim": "........x..x....", "hat": "..x...x...x...x."},
    "rockers": {
        "kick": "X.......X.......",
        "rim": "....x.......x..x",
        "hat": "x.xxx.x.x.xxx.x.",
        "conga": "......x.......xx",
    },
    "double_kick": {"kick": "XxXxXxXxXxXxXxXx", "snare": BACKBEAT, "crash": FOUR_ON_THE_FLOOR},
    "gallop": {"kick": "X.xxX.xxX.xxX.xx", "snare": BACKBEAT, "ride": FOUR_ON_THE_FLOOR},
    "thrash": {"kick": FOUR_ON_THE_FLOOR, "snare": "..X...X...X...X.", "open": EIGHTHS},
}

# When chords are played: a stroke rings until the next one, or shorter in staccato styles.
STRUMS: dict[str, str] = {
    "whole": "x...............",
    "halves": "x.......x.......",
    "quarters": "x...x...x...x...",
    "eighths": EIGHTHS,
    "strum": "X...x.x...x.x.x.",
    "country_strum": "o...X.x.o...X.x.",
    "boom_chick": "....X.......X...",
    "shuffle_riff": "X.x.X.x.X.x.X.x.",
    "charleston": "X.....x.........",
    "comping": "..x...x......x..",
    "freddie_green": "x...X...x...X...",
    "skank": "..X...X...X...X.",
    "skank_double": "..Xx..Xx..Xx..Xx",
    "backbeat_skank": "....X.......X...",
    "funk": "x.xX..xo.xX.x.xo",
    "stabs": "...x..x....x..x.",
    "chug": "X.xxX.xxX.xxX.xx",
    "chug_16": "XxxxXxxxXxxxXxxx",
    "power": "X.....X.....X...",
    "arpeggio_8": "x.x.x.x.x.x.x.x.",
    "arpeggio_16": "xxxxxxxxxxxxxxxx",
}

# Digits are degrees of the chord: 1 root, 3 third, 5 fifth, 6 sixth, 7 seventh, 8 octave.
BASS_LINES: dict[str, str] = {
    "long": "1...............",
    "halves": "1.......5.......",
    "roots": "1.1.1.1.1.1.1.1.",
    "roots_16": "1.111.111.111.11",
    "gallop": "1.111.111.111.11",
    "syncopated": "1..1..1.1.....5.",
    "two_beat": "1.......5.......",
    "boogie": "1.3.5.6.8.6.5.3.",
    "shuffle_walk": "1...3...5...6...",
    "walking": "1...3...5...7...",
    "walking_down": "8...7...5...3...",
    "walking_skips": "1...5.5.8...5...",
    "octaves": "1.8.1.8.1.8.1.8.",
    "octaves_funk": "1..81.8...81.58.",
    "dub": "1.....1.3.5.....",
    "dub_rest": "..1.1.5...3.1...",
    "bossa": "1.....5.5.....1.",
    "sub": "1......1..1.....",
    "sub_sparse": "1.........1.....",
    "pop": "1.....1.1.....5.",
}


def strokes(pattern: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of a pattern that are played, and their velocities (0 to 1)."""
    steps = [step for step, mark in enumerate(pattern) if mark != "."]
    return np.array(steps, int), np.array([VELOCITIES.get(pattern[step], 0.8) for step in steps])


def step_times(n_bars: int, tempo_bpm: float, swing: float, swung: str = "eighths") -> np.ndarray:
    """Return the start times of all steps of `n_bars` bars.

    Parameters
    ----------
    n_bars
        Bars of sixteen steps.
    tempo_bpm
        Quarter notes per minute.
    swing
        Share of a swung pair that its first note takes: 1/2 is straight, 2/3 a triplet shuffle.
    swung
        Which pairs are swung: ``"eighths"`` (blues, jazz) or ``"sixteenths"`` (hip-hop).

    Returns
    -------
    np.ndarray
        Shape (16 n_bars + 1,), in seconds, from 0 to the end of the last bar.
    """
    within_pair = np.array([0.0, swing])
    if swung == "eighths":
        beat = np.concatenate([[0.0, swing / 2], [swing, (1 + swing) / 2]])
    else:
        beat = np.concatenate([within_pair / 2, 0.5 + within_pair / 2])
    beats = np.arange(n_bars * BEATS)[:, None] + beat
    return np.append(beats.ravel(), n_bars * BEATS) * 60.0 / tempo_bpm
