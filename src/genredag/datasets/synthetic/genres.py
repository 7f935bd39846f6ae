"""The ten genres, each a table of what its artists choose from. Weights need not sum to one."""

from __future__ import annotations

from dataclasses import dataclass

Weights = dict[str, float]
Range = tuple[float, float]

NO_INSTRUMENT = "-"


@dataclass(frozen=True)
class Style:
    """A genre as a distribution: uniform ranges, weights of names, and progressions, one chord per bar."""

    neighbours: tuple[str, ...]  # genres that its artists borrow from
    tempo_bpm: Range
    grooves: Weights
    kits: Weights
    progressions: tuple[str, ...]
    scales: Weights
    bass: Weights
    bass_lines: Weights
    chords: Weights
    strums: Weights
    lead: Weights
    notes_per_bar: Range  # of the lead
    pad: Weights
    pad_figures: Weights
    swing: Range = (0.5, 0.52)
    swung: str = "eighths"
    loose_ms: Range = (3.0, 10.0)  # standard deviation of the timing
    strum_length: Range = (0.7, 1.0)  # share of the time until the next stroke
    leap: float = 1.5  # standard deviation of the lead's intervals, in steps of the scale
    lead_share: Range = (0.4, 0.8)  # of the bars
    drum_db: Range = (-3.0, 1.0)
    bass_db: Range = (-10.0, -6.0)
    chords_db: Range = (-14.0, -9.0)
    pad_db: Range = (-20.0, -14.0)
    lead_db: Range = (-13.0, -8.0)
    tilt_db: Range = (-1.0, 1.0)  # brightness: per octave, of every instrument
    drive_db: Range = (0.0, 0.0)  # into the distortion of drive_guitar
    room_seconds: Range = (0.3, 0.9)
    wet_db: Range = (-18.0, -10.0)
    echo_db: Range = (-60.0, -40.0)  # of a dotted-eighth echo on chords and lead
    bandwidth_hz: Range = (8000.0, 11000.0)
    noise_db: Range = (-75.0, -55.0)


STYLES: dict[str, Style] = {
    "blues": Style(
        neighbours=("rock", "jazz", "country"),
        tilt_db=(-2.0, 0.5),
        tempo_bpm=(66, 132),
        swing=(0.6, 0.68),
        grooves={"shuffle": 5, "slow_blues": 3, "two_step": 1, "backbeat": 1, "none": 1},
        kits={"acoustic": 1},
        progressions=(
            "I7 IV7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 V7",
            "I7 I7 I7 I7 IV7 IV7 I7 I7 V7 IV7 I7 I7",
            "Im7 Im7 Im7 Im7 IVm7 IVm7 Im7 Im7 bVI7 V7 Im7 V7",
        ),
        scales={"blues": 4, "mixolydian": 1},
        bass={"upright_bass": 2, "electric_bass": 3},
        bass_lines={"boogie": 3, "shuffle_walk": 4, "walking": 2, "long": 1},
        chords={"clean_guitar": 3, "drive_guitar": 4, "upright_piano": 4, "acoustic_guitar": 1},
        strums={"shuffle_riff": 5, "charleston": 2, "halves": 1, "quarters": 1},
        strum_length=(0.4, 0.8),
        lead={"harmonica": 3, "drive_guitar": 3, "clean_guitar": 2, "singer": 3, "sax": 1},
        notes_per_bar=(4, 8),
        pad={NO_INSTRUMENT: 4, "organ": 3, "horns": 1},
        pad_figures={"whole": 3, "halves": 1},
        drive_db=(4, 18),
        loose_ms=(6, 16),
        bandwidth_hz=(5500, 10500),
        noise_db=(-66, -46),
    ),
    "classical": Style(
        neighbours=("jazz",),
        tilt_db=(-2.0, 0.5),
        tempo_bpm=(58, 138),
        grooves={"none": 12, "timpani": 2},
        kits={"acoustic": 1},
        progressions=(
            "I IV V7 I VIm IIm V7 I",
            "I V VIm IIIm IV I IV V",
            "Im IVm V7 Im bVI bIII V Im",
            "Im V7 Im bVII bIII IVm V Im",
            "I I IIm V7 I IV V I",
        ),
        scales={"major": 1, "minor": 1},
        bass={"cello": 4, "strings": 1, NO_INSTRUMENT: 2, "upright_bass": 1},
        bass_lines={"long": 3, "halves": 3, "walking": 1},
        chords={"piano": 4, "strings": 4, "harp": 1, "nylon_guitar": 1},
        strums={"arpeggio_8": 4, "arpeggio_16": 2, "quarters": 1, "halves": 2},
        strum_length=(0.8, 1.2),
        lead={"violin": 4, "flute": 2, "clarinet": 2, "piano": 3, "choir": 1, "cello": 1},
        notes_per_bar=(4, 10),
        leap=1.8,
        lead_share=(0.6, 1.0),
        pad={"strings": 4, NO_INSTRUMENT: 4, "choir": 1, "horns": 1},
        pad_figures={"whole": 3, "halves": 2},
        loose_ms=(8, 25),
        drum_db=(-8, -3),
        room_seconds=(0.9, 2.2),
        wet_db=(-12, -4),
        noise_db=(-72, -52),
        bandwidth_hz=(6000, 11000),
    ),
    "country": Style(
        neighbours=("rock", "blues", "pop"),
        tilt_db=(0.0, 2.0),
        tempo_bpm=(84, 150),
        swing=(0.5, 0.6),
        grooves={"train": 4, "two_step": 4, "backbeat": 2, "ballad": 1},
        kits={"acoustic": 3, "tight": 1},
        progressions=("I IV I V", "I I IV IV V V I I", "I V VIm IV", "I IV V I", "I I V V I IV V I"),
        scales={"pentatonic": 3, "major": 2, "mixolydian": 1},
        bass={"upright_bass": 2, "electric_bass": 3},
        bass_lines={"two_beat": 6, "shuffle_walk": 1, "roots": 1, "pop": 1},
        chords={"acoustic_guitar": 6, "banjo": 2, "clean_guitar": 1, "upright_piano": 1},
        strums={"boom_chick": 4, "country_strum": 4, "strum": 3, "arpeggio_16": 2},
        lead={
            "fiddle": 3,
            "pedal_steel": 4,
            "singer": 5,
            "banjo": 2,
            "mandolin": 1,
            "harmonica": 1,
            "clean_guitar": 2,
        },
        notes_per_bar=(4, 9),
        pad={NO_INSTRUMENT: 3, "pedal_steel": 3, "organ": 1, "accordion": 1, "mandolin": 1},
        pad_figures={"whole": 4, "boom_chick": 1},
        drive_db=(2, 10),
        room_seconds=(0.25, 0.8),
    ),
    "disco": Style(
        neighbours=("pop", "hiphop", "reggae"),
        tilt_db=(-0.5, 1.5),
        tempo_bpm=(106, 132),
        grooves={"disco": 5, "disco_16": 4, "dance_pop": 2, "backbeat": 1},
        kits={"tight": 4, "machine": 1, "acoustic": 2},
        progressions=("Im7 IV7", "Im7 bVII bVImaj7 bVII", "IIm7 V7 Imaj7 VIm7", "Im9 IVm7 bVII7 bIIImaj7"),
        scales={"dorian": 3, "minor": 2, "pentatonic": 1},
        bass={"electric_bass": 4, "pick_bass": 2, "synth_bass": 2},
        bass_lines={"octaves": 5, "octaves_funk": 4, "syncopated": 2, "roots": 1},
        chords={"clean_guitar": 4, "clavinet": 2, "electric_piano": 2, "piano": 1},
        strums={"funk": 5, "stabs": 2, "skank": 1, "eighths": 1},
        strum_length=(0.3, 0.7),
        lead={"singer": 5, "horns": 2, "strings": 2, "synth_lead": 1, "choir": 1},
        notes_per_bar=(4, 8),
        pad={"strings": 5, "horns": 2, "synth_pad": 1, NO_INSTRUMENT: 2},
        pad_figures={"whole": 3, "stabs": 2, "quarters": 1},
        loose_ms=(2, 7),
        pad_db=(-17, -11),
    ),
    "hiphop": Style(
        neighbours=("reggae", "pop", "disco"),
        tilt_db=(-2.0, 0.5),
        tempo_bpm=(78, 106),
        swing=(0.5, 0.62),
        swung="sixteenths",
        grooves={"boom_bap": 4, "boom_bap_busy": 3, "trap": 3, "synth_pop": 1},
        kits={"machine": 4, "tight": 2, "acoustic": 1},
        progressions=("Im7", "Im7 Im7 bVImaj7 V7", "Im bVI", "Im9 IVm7", "IIm7 V7"),
        scales={"minor": 2, "blues": 1, "dorian": 1},
        bass={"sub_bass": 5, "electric_bass": 1, "synth_bass": 1, "dub_bass": 1},
        bass_lines={"sub": 4, "sub_sparse": 3, "syncopated": 2, "long": 1},
        chords={
            "electric_piano": 3,
            "piano": 2,
            "clean_guitar": 1,
            "strings": 1,
            "synth_pluck": 2,
            "vibraphone": 1,
        },
        strums={"whole": 3, "charleston": 2, "stabs": 2, "arpeggio_8": 1, "halves": 1},
        lead={"rapper": 10, "singer": 2, "synth_lead": 1},
        notes_per_bar=(9, 14),
        leap=0.7,
        lead_share=(0.6, 0.95),
        pad={NO_INSTRUMENT: 5, "strings": 1, "synth_pad": 2, "choir": 1},
        pad_figures={"whole": 1},
        drum_db=(-1, 3),
        bass_db=(-8, -3),
        chords_db=(-18, -12),
        lead_db=(-10, -5),
        room_seconds=(0.15, 0.6),
        wet_db=(-24, -14),
        bandwidth_hz=(6500, 11000),
        noise_db=(-66, -46),
    ),
    "jazz": Style(
        neighbours=("blues", "classical"),
        tilt_db=(-2.5, 0.0),
        tempo_bpm=(84, 210),
        swing=(0.58, 0.68),
        grooves={"swing": 6, "swing_brushes": 4, "bossa": 2, "none": 1},
        kits={"acoustic": 1},
        progressions=(
            "IIm7 V7 Imaj7 VIm7",
            "Imaj7 VIm7 IIm9 V7",
            "Im9 IVm7 IIm7 V7",
            "I7 IV7 I7 I7 IV7 IV7 I7 VIm7 IIm7 V7 I7 V7",
            "Imaj7 IV7 IIIm7 VI7 IIm7 V7 Imaj7 V7",
        ),
        scales={"major": 2, "dorian": 2, "mixolydian": 1, "blues": 1},
        bass={"upright_bass": 8, "electric_bass": 1},
        bass_lines={"walking": 4, "walking_down": 2, "walking_skips": 2, "bossa": 1},
        chords={"piano": 6, "clean_guitar": 2, "vibraphone": 2, "electric_piano": 1, "nylon_guitar": 1},
        strums={"charleston": 3, "comping": 4, "freddie_green": 2},
        strum_length=(0.3, 0.8),
        lead={
            "sax": 5,
            "trumpet": 4,
            "piano": 2,
            "vibraphone": 2,
            "clean_guitar": 2,
            "clarinet": 1,
            "flute": 1,
        },
        notes_per_bar=(5, 11),
        leap=2.0,
        lead_share=(0.5, 0.95),
        pad={NO_INSTRUMENT: 8, "horns": 1, "strings": 1},
        pad_figures={"whole": 2, "charleston": 1},
        loose_ms=(8, 18),
        drum_db=(-8, -2),
        room_seconds=(0.4, 1.2),
        bandwidth_hz=(5500, 11000),
        noise_db=(-66, -46),
    ),
    "metal": Style(
        neighbours=("rock",),
        tilt_db=(0.0, 2.0),
        tempo_bpm=(96, 190),
        grooves={"double_kick": 4, "gallop": 3, "thrash": 3, "half_time": 2, "driving": 2},
        kits={"heavy": 5, "acoustic": 1},
        progressions=("I5 bII5 I5 bVI5", "I5 I5 bVI5 bVII5", "I5 bIII5 IV5 bII5", "I5 bVII5 bVI5 V5"),
        scales={"phrygian": 2, "minor": 3, "blues": 1},
        bass={"pick_bass": 5, "electric_bass": 1},
        bass_lines={"roots_16": 4, "gallop": 2, "roots": 3},
        chords={"drive_guitar": 1},
        strums={"chug": 4, "chug_16": 4, "power": 2, "eighths": 2, "whole": 1},
        strum_length=(0.5, 1.0),
        lead={"shouter": 5, "drive_guitar": 4, "singer": 2},
        notes_per_bar=(5, 12),
        lead_share=(0.3, 0.8),
        pad={"drive_guitar": 4, NO_INSTRUMENT: 3, "synth_pad": 1, "choir": 1},
        pad_figures={"whole": 3, "halves": 1},
        loose_ms=(2, 7),
        drive_db=(26, 46),
        chords_db=(-10, -5),
        pad_db=(-14, -9),
        drum_db=(-3, 1),
        room_seconds=(0.2, 0.7),
    ),
    "pop": Style(
        neighbours=("disco", "rock", "hiphop", "country"),
        tilt_db=(0.0, 2.5),
        tempo_bpm=(88, 130),
        grooves={"dance_pop": 4, "synth_pop": 5, "backbeat": 2, "ballad": 1},
        kits={"machine": 4, "tight": 2},
        progressions=("I V VIm IV", "VIm IV I V", "I VIm IV V", "IV I V VIm", "Im bVI bIII bVII"),
        scales={"major": 2, "pentatonic": 3, "minor": 1},
        bass={"synth_bass": 4, "electric_bass": 3, "sub_bass": 1, "pick_bass": 1},
        bass_lines={"pop": 4, "roots": 4, "octaves": 1, "syncopated": 2},
        chords={"synth_pluck": 6, "brass_synth": 3, "piano": 2, "electric_piano": 1, "acoustic_guitar": 1},
        strums={"arpeggio_16": 2, "arpeggio_8": 2, "strum": 2, "quarters": 2, "stabs": 2, "whole": 1},
        lead={"singer": 9, "synth_lead": 2},
        notes_per_bar=(5, 9),
        lead_share=(0.6, 0.95),
        pad={"synth_pad": 7, "choir": 2, "strings": 1, NO_INSTRUMENT: 1},
        pad_figures={"whole": 4, "halves": 1, "arpeggio_8": 1},
        loose_ms=(1, 6),
        lead_db=(-10, -6),
        drive_db=(6, 16),
        wet_db=(-16, -8),
        bandwidth_hz=(9500, 11000),
        noise_db=(-80, -65),
    ),
    "reggae": Style(
        neighbours=("hiphop", "disco", "pop"),
        tilt_db=(-2.0, 0.5),
        tempo_bpm=(66, 96),
        swing=(0.52, 0.62),
        swung="sixteenths",
        grooves={"one_drop": 5, "steppers": 2, "rockers": 3},
        kits={"tight": 3, "acoustic": 3, "machine": 1},
        progressions=("Im IVm", "I IV", "Im bVII", "I IV V IV", "Im7 IVm7 Im7 V7"),
        scales={"minor": 2, "pentatonic": 2, "dorian": 1},
        bass={"dub_bass": 5, "electric_bass": 3, "sub_bass": 1},
        bass_lines={"dub": 5, "dub_rest": 4, "syncopated": 1},
        chords={"clean_guitar": 5, "organ": 3, "upright_piano": 2},
        strums={"skank": 6, "skank_double": 2, "backbeat_skank": 2},
        strum_length=(0.2, 0.5),
        lead={"singer": 7, "horns": 2, "flute": 1, "trumpet": 1, "rapper": 2},
        notes_per_bar=(3, 8),
        lead_share=(0.3, 0.8),
        pad={"organ": 5, NO_INSTRUMENT: 3, "horns": 1, "synth_pad": 1},
        pad_figures={"skank_double": 3, "whole": 2, "stabs": 1},
        bass_db=(-7, -2),
        echo_db=(-22, -8),
        room_seconds=(0.4, 1.4),
        bandwidth_hz=(6000, 10500),
        noise_db=(-68, -48),
    ),
    "rock": Style(
        neighbours=("metal", "blues", "pop", "country"),
        tilt_db=(-0.5, 1.5),
        tempo_bpm=(92, 160),
        grooves={"backbeat": 5, "driving": 4, "stomp": 2, "two_step": 1, "half_time": 1},
        kits={"acoustic": 5, "heavy": 2, "tight": 1},
        progressions=("I5 bVII5 IV5 I5", "I V VIm IV", "Im bVII bVI bVII", "I IV I V", "I5 IV5 V5 IV5"),
        scales={"blues": 2, "pentatonic": 2, "mixolydian": 2, "minor": 1},
        bass={"electric_bass": 3, "pick_bass": 4},
        bass_lines={"roots": 5, "syncopated": 2, "pop": 2, "roots_16": 1},
        chords={"drive_guitar": 7, "clean_guitar": 2, "acoustic_guitar": 2, "organ": 1},
        strums={"eighths": 3, "strum": 4, "power": 3, "quarters": 1, "whole": 1},
        lead={"singer": 6, "drive_guitar": 5, "shouter": 1},
        notes_per_bar=(4, 9),
        pad={NO_INSTRUMENT: 4, "organ": 2, "drive_guitar": 3, "clean_guitar": 2, "piano": 1},
        pad_figures={"whole": 2, "strum": 2, "arpeggio_8": 2},
        drive_db=(12, 30),
        chords_db=(-12, -7),
        room_seconds=(0.3, 1.0),
    ),
}
GENRES = tuple(STYLES)
