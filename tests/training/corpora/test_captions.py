"""Captions to phrases: the reference's failures, English, a user's rules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sepcli.errors import UsageError
from sepcli.training.corpora.caption_rules import Rules
from sepcli.training.corpora.captions import phrases
from sepcli.training.corpora.inflection import Form, forms, gerund, past, third

LISTED = Path(__file__).parents[2] / "data/captions.jsonl"


@pytest.mark.parametrize(
    ("caption", "wanted"),
    [
        (
            "A woman talks while a baby cries and a clock ticks",
            ("A woman talks", "A baby cries", "A clock ticks"),
        ),
        (
            "A train sounds horn and then passes with a clickety-clack over tracks",
            ("A train sounds horn", "A train passes with a clickety-clack"),
        ),
        (
            "A goat baas before and after two goats baaing in the distance",
            ("A goat baas", "Two goats baaing"),
        ),
        ("A tone lengthens", ("A tone lengthens",)),
        ("Athena speaks", ("Athena speaks",)),
        (
            "a USA anthem plays and a man speaks French",
            ("A USA anthem plays", "A man speaks French"),
        ),
    ],
)
def test_the_references_failures(caption: str, wanted: tuple[str, ...]) -> None:
    assert phrases(caption) == wanted


@pytest.mark.parametrize(
    ("caption", "wanted"),
    [
        ("A dog barks, growls, and pants.", ("A dog barks", "A dog growls", "A dog pants")),
        ("A cat meows; a clock ticks", ("A cat meows", "A clock ticks")),
        ("A bang, followed by laughing", ("A bang", "Laughing")),
        ("A truck reverses, beeping", ("A truck reverses", "A truck beeping")),
        ("Jars are being stacked, clinking", ("Jars are being stacked", "Jars clinking")),
        ("People are laughing and clapping", ("People are laughing", "People are clapping")),
        ("A guitar is tuned and strummed", ("A guitar is tuned", "A guitar is strummed")),
        ("A baby cries as it crawls", ("A baby cries", "A baby crawls")),
        ("A man talks and a lamp buzzes", ("A man talks", "A lamp buzzes")),
        ("Loud beeps and clicks", ("Loud beeps", "Clicks")),
        ("A man talks and whistles blow", ("A man talks", "Whistles blow")),
        ("People talk and whistles are blown", ("People talk", "Whistles are blown")),
        ("A woman hums and barking dogs run", ("A woman hums", "Barking dogs run")),
        ("A woman hums and is tapping a desk", ("A woman hums", "A woman is tapping a desk")),
        ("A man coughs and clears his throat", ("A man coughs", "A man clears his throat")),
        ("A man, speaking in German, laughs", ("A man speaking in German", "A man laughs")),
        ("Applause, cheering", ("Applause", "Cheering")),
    ],
)
def test_verbs_find_their_noun(caption: str, wanted: tuple[str, ...]) -> None:
    assert phrases(caption) == wanted


@pytest.mark.parametrize(
    ("caption", "wanted"),
    [
        ("A horn and a bell ring", ("A horn rings", "A bell rings")),
        ("Cats, a dog and birds are fighting", ("Cats are fighting", "A dog is fighting")),
        ("A fan and birds buzz softly", ("A fan buzzes softly", "Birds buzz softly")),
        ("Music and a man speaks", ("Music", "A man speaks")),
        ("A crowd of people talk and laugh", ("A crowd of people talk", "A crowd of people laugh")),
    ],
)
def test_shared_verbs_agree_with_every_noun(caption: str, wanted: tuple[str, ...]) -> None:
    assert phrases(caption)[: len(wanted)] == wanted


@pytest.mark.parametrize(
    "caption",
    [
        "A phone rings on and off",
        "A man and a woman talk",
        "A wiper moves back and forth",
        "A baby cries and cries",
        "A low and steady hum",
        "A loud, shrill whistle",
        "A phone rings loudly and repeatedly",
        "A brush moves slowly, softly",
        "A siren such as an ambulance",
        "Someone opens and closes a door",
        "iPhone alarm",
    ],
)
def test_what_belongs_together_stays_together(caption: str) -> None:
    assert phrases(caption) == (caption,)


@pytest.mark.parametrize(
    ("caption", "wanted"),
    [
        ("Birds chirp in the background", ("Birds chirp",)),
        ("In the distance, a dog barks", ("A dog barks",)),
        ("A car drives by on a busy city street", ("A car drives by",)),
        ("A car drives on an unpaved road", ("A car drives",)),
        ("Rain falls on a man talking in a room", ("Rain falls on a man talking",)),
        ("A man speaks over music", ("A man speaks", "Music")),
        ("A man talks with a lisp", ("A man talks with a lisp",)),
        ("With birds singing, a man talks", ("Birds singing", "A man talks")),
        ("There is a kettle whistling", ("A kettle whistling",)),
        ("An engine revs, fades away and it stops", ("An engine revs",)),
        ("A dog growls and begins barking", ("A dog growls", "A dog begins barking")),
        ("A car honks in the distance or nearby", ("A car honks",)),
    ],
)
def test_places_and_ends_are_no_sounds(caption: str, wanted: tuple[str, ...]) -> None:
    assert phrases(caption) == wanted


def test_phrases_come_once_in_the_order_of_the_caption() -> None:
    assert phrases("Rain falls, a dog barks, then rain falls") == ("Rain falls", "A dog barks")


def test_a_caption_always_has_a_phrase_unless_it_has_no_words() -> None:
    assert phrases("in the distance.") == ("In the distance",)
    assert phrases(" , ") == ()
    assert phrases("") == ()


def test_numbers_and_hyphens_are_not_cut() -> None:
    assert phrases("A 3.5-kHz tone: low-pitched bangs") == ("A 3.5-kHz tone", "Low-pitched bangs")


@pytest.mark.parametrize(("half", "least"), [("first", 1.0), ("second", 0.85)])
def test_the_committed_captions(half: str, least: float) -> None:
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["half"] == half]
    right = sum(list(phrases(row["caption"])) == row["phrases"] for row in rows)
    assert len(rows) == 75
    assert right / len(rows) >= least


def test_a_users_rules_are_added_and_taken_away(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("{connectives: [plus], idioms: [bread and butter], without: [while]}")
    rules = Rules.load(path)
    assert phrases("Rain plus bread and butter", rules) == ("Rain", "Bread and butter")
    assert phrases("Rain while wind", rules) == ("Rain while wind",)
    assert phrases("Rain and wind", rules) == ("Rain", "Wind")
    assert phrases("Rain while wind") == ("Rain", "Wind")


def test_overrides_come_before_rules(tmp_path: Path) -> None:
    path = tmp_path / "overrides.jsonl"
    path.write_text('\n{"caption": "A  dog barks and runs.", "phrases": ["a  dog", "Feet"]}\n')
    rules = Rules.load(overrides=path)
    assert phrases("a dog Barks and runs", rules) == ("a dog", "Feet")
    assert phrases("A dog barks and pants", rules) == ("A dog barks", "A dog pants")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{conectives: [and]}", "conectives"),
        ("{adverbs: [on]}", "adverbs.0"),
        ("[and]", "not a mapping"),
    ],
)
def test_wrong_rules_are_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        Rules.load(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("caption", "line 1: Expecting"),
        ('{"caption": "Rain"}', "not a caption with phrases"),
        ('{"caption": 3, "phrases": ["x"]}', "a caption is a text"),
        ('{"caption": "Rain", "phrases": []}', "a caption is a text"),
        ('{"caption": "Rain", "phrases": [" "]}', "or empty"),
    ],
)
def test_wrong_overrides_are_refused(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "overrides.jsonl"
    path.write_text(line)
    with pytest.raises(UsageError, match=message):
        Rules.load(overrides=path)


def test_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        Rules.load(overrides=tmp_path / "none.jsonl")
    with pytest.raises(UsageError, match="cannot read"):
        Rules.load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("lemma", "wanted"),
    [
        ("bark", ("barks", "barking", "barked")),
        ("buzz", ("buzzes", "buzzing", "buzzed")),
        ("cry", ("cries", "crying", "cried")),
        ("play", ("plays", "playing", "played")),
        ("chime", ("chimes", "chiming", "chimed")),
        ("hum", ("hums", "humming", "hummed")),
        ("squeak", ("squeaks", "squeaking", "squeaked")),
        ("whisper", ("whispers", "whispering", "whispered")),
        ("chew", ("chews", "chewing", "chewed")),
        ("tee", ("tees", "teeing", "teed")),
        ("go", ("goes", "going", "goed")),
    ],
)
def test_regular_verbs(lemma: str, wanted: tuple[str, str, str]) -> None:
    assert (third(lemma), gerund(lemma), past(lemma)) == wanted


def test_a_word_may_be_several_forms() -> None:
    table = forms(["hit hit", "sing sang sung"])
    assert table["hit"] == Form.BASE | Form.PAST
    assert table["sung"] == Form.PAST
    assert table["hits"] == Form.THIRD
    assert "singed" not in table
