"""General MIDI's 128 programs under the names that the ontology has for them.

Families are those of the standard (RP-003), cut finer where their instruments sound unlike each
other. Instruments that the ontology does not list go by their own names.
"""

from __future__ import annotations

from bisect import bisect

DRUMS = "drums"
DRUM_CHANNEL = 9  # counted from 0
FIRST_PROGRAMS = (  # each label holds until the next one's first program; counted from 0
    (0, "piano"),
    (8, "xylophone"),  # celesta, glockenspiel, music box
    (11, "mallets"),  # vibraphone, marimba
    (13, "xylophone"),
    (14, "bell"),
    (15, "dulcimer"),
    (16, "organ"),
    (21, "accordion"),
    (22, "harmonica"),
    (23, "accordion"),
    (24, "guitar"),
    (26, "electric_guitar"),
    (32, "bass"),
    (40, "strings"),
    (46, "harp"),
    (47, "percussion"),  # timpani
    (48, "strings"),
    (52, "choir"),
    (55, "orchestra_hit"),
    (56, "trumpet"),
    (57, "brass"),
    (59, "trumpet"),  # muted
    (60, "brass"),
    (64, "woodwind"),
    (72, "flute"),
    (80, "synth"),
    (104, "sitar"),
    (105, "banjo"),
    (106, "shamisen"),
    (107, "koto"),
    (108, "kalimba"),
    (109, "bagpipe"),
    (110, "strings"),  # fiddle
    (111, "woodwind"),  # shanai
    (112, "bell"),
    (113, "percussion"),
    (119, "cymbal"),  # played backwards
    (120, "guitar"),  # fret noise
    (121, "breathing"),
    (122, "sea_waves"),
    (123, "bird"),
    (124, "telephone"),
    (125, "helicopter"),
    (126, "applause"),
    (127, "gunshot"),
)
_STARTS = [start for start, _ in FIRST_PROGRAMS]


def label_of(channel: int, program: int) -> str:
    """What is heard on a channel, 0 to 15, while a program, 0 to 127, is chosen."""
    if channel == DRUM_CHANNEL:
        return DRUMS
    return FIRST_PROGRAMS[bisect(_STARTS, program) - 1][1]
