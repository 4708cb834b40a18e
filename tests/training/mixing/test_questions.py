"""What is asked, how often, and with which answers."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from sepcli.training.config import MixingConfig
from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.batch import Asking, Role
from sepcli.training.mixing.example import Example, mix
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.mixing.questions import Question, Questioner, weights
from sepcli.training.mixing.wording import meaning

Make = Callable[..., Clip]
Stock = Callable[..., Pantry]
ALL = Asking(captions=True, phrases=True, absent=1)


def asked(
    pantry: Pantry, asking: Asking, seed: int, known: bool = True, **mixing: object
) -> tuple[Example, list[Question]]:
    config = MixingConfig(**{"backgrounds": 0.0, **mixing})
    rng = random.Random(seed)
    example = mix(pantry, config, 80, rng, known)
    questioner = Questioner(pantry, asking, config.parts, max(config.sources))
    return example, questioner.ask(example, rng)


def roles(questions: list[Question]) -> list[Role]:
    return [question.role for question in questions]


def test_captions_phrases_and_absent_ones(pantry: Pantry) -> None:
    example, questions = asked(pantry, ALL, 1, parts=2, sources={2: 1.0})
    assert roles(questions) == [Role.CAPTION] * 2 + [Role.PHRASE] * 4 + [Role.ABSENT]
    assert [q.part for q in questions] == [0, 1, 0, 0, 1, 1, -1]
    for question, part in zip(questions[:2], example.parts, strict=True):
        assert question.text == part.caption
        assert question.answer is part.wave
    for place, question in enumerate(questions[2:6]):
        part = example.parts[place // 2]
        assert part.sources is not None
        assert question.text == part.phrases[place % 2]
        np.testing.assert_array_equal(question.answer, part.sources[place % 2])
        assert question.meaning == meaning(part.labels[place % 2])
    assert all(q.known for q in questions)
    assert questions[-1].answer is None
    assert {q.meaning for q in questions if q.role != Role.PHRASE} == {-1}


def test_parts_with_fewer_sources_are_padded(pantry: Pantry) -> None:
    counts = Counter()
    for seed in range(60):
        example, questions = asked(
            pantry, Asking(phrases=True), seed, parts=2, sources={1: 1.0, 3: 1.0}
        )
        assert len(questions) == 6
        for part in (0, 1):
            slots = roles(questions[3 * part : 3 * part + 3])
            held = len(example.parts[part].phrases)
            assert slots == [Role.PHRASE] * held + [Role.PADDING] * (3 - held)
            counts[held] += 1
        assert not any(q.known for q in questions if q.role == Role.PADDING)
    assert set(counts) == {1, 3}


def test_unknown_sources_have_no_answers(pantry: Pantry) -> None:
    _, questions = asked(pantry, ALL, 2, known=False, parts=2, sources={2: 1.0})
    phrases = [q for q in questions if q.role == Role.PHRASE]
    assert all(q.answer is None and not q.known for q in phrases)
    assert all(q.known for q in questions if q.role != Role.PHRASE)
    assert all(q.answer is not None for q in questions if q.role == Role.CAPTION)


def test_absent_ones_are_unlike_all_parts(pantry: Pantry) -> None:
    for seed in range(100):
        example, questions = asked(pantry, Asking(absent=2), seed, parts=2, sources={2: 1.0})
        for question in questions:
            heard = {label for part in example.parts for label in part.labels}
            assert question.role == Role.ABSENT
            assert not pantry.kinship.kin(question.label) & heard
            assert question.label in pantry.asked


def test_nothing_is_absent_where_anything_may_be_heard(pantry: Pantry) -> None:
    example, questions = asked(pantry, ALL, 0, sources={2: 1.0}, backgrounds=1.0)
    assert example.parts[0].labels[1] == "ambience_mixed"
    assert roles(questions) == [Role.CAPTION, Role.PHRASE, Role.PADDING, Role.PADDING]


def test_nothing_is_absent_where_all_is_heard(clip: Make, stock: Stock) -> None:
    small = stock(clip("dog"), clip("rain"))
    assert roles(asked(small, Asking(absent=1), 0, sources={2: 1.0})[1]) == [Role.PADDING]


def test_absent_phrases_of_recordings(clip: Make, stock: Stock) -> None:
    told = stock(clip(caption="Cats meow", phrases=("cats",)), clip(caption="Sheep bleat"))
    texts = {asked(told, Asking(absent=1), seed)[1][0].text for seed in range(20)}
    assert texts == {"cats", "Sheep bleat"}
    assert roles(asked(told, Asking(absent=1), 0, parts=2)[1]) == [Role.PADDING]


def test_sampled_questions_begin_with_what_is_there(pantry: Pantry) -> None:
    share = Asking(sampled=3, absent_share=0.25)
    counts: Counter[Role] = Counter()
    for seed in range(600):
        example, questions = asked(pantry, share, seed, sources={3: 1.0})
        assert len(questions) == 3
        assert questions[0].role == Role.PHRASE
        there = [q.text for q in questions if q.role == Role.PHRASE]
        assert len(set(there)) == len(there)
        assert set(there) <= set(example.parts[0].phrases)
        counts.update(roles(questions))
    assert counts[Role.ABSENT] / counts.total() == pytest.approx(0.25, abs=0.03)


def test_half_of_the_questions_may_ask_for_what_is_absent(pantry: Pantry) -> None:
    doubt = Asking(sampled=2, absent_share=0.5)
    for seed in range(20):
        _, questions = asked(pantry, doubt, seed, sources={2: 1.0})
        assert roles(questions) == [Role.PHRASE, Role.ABSENT]


def test_where_too_little_is_there_the_rest_is_absent(pantry: Pantry) -> None:
    one = Asking(sampled=3, absent_share=0.0)
    assert roles(asked(pantry, one, 0, sources={1: 1.0})[1]) == [
        Role.PHRASE,
        Role.ABSENT,
        Role.ABSENT,
    ]


def test_where_nothing_can_be_absent_sources_are_asked_for_again(pantry: Pantry) -> None:
    sure = Asking(sampled=3, absent_share=0.3)
    example, questions = asked(pantry, sure, 0, sources={2: 1.0}, backgrounds=1.0)
    assert {q.text for q in questions} == {example.parts[0].phrases[0]}
    assert roles(questions) == [Role.PHRASE] * 3


def test_one_question_is_about_what_is_there(pantry: Pantry) -> None:
    assert roles(asked(pantry, Asking(sampled=1, absent_share=1.0), 0)[1]) == [Role.PHRASE]


def test_sampled_questions_take_unknown_parts_as_a_whole(pantry: Pantry) -> None:
    example, questions = asked(pantry, Asking(sampled=2), 4, known=False, parts=2, sources={2: 1.0})
    assert roles(questions) == [Role.CAPTION] * 2
    assert {q.text for q in questions} == {part.caption for part in example.parts}


def test_recordings_that_may_hold_anything_are_taken_as_a_whole(clip: Make, stock: Stock) -> None:
    pantry = stock(clip("ambience_mixed", "ambience_mixed"), clip("dog"))
    _, questions = asked(pantry, Asking(sampled=2, absent_share=0.5), 0, captioned=1.0)
    assert roles(questions) == [Role.CAPTION] * 2


def test_weights_say_how_often_a_phrase_is_asked_about_its_part() -> None:
    assert weights([0, 0, 0, 1, 1, -1], [7, 7, 8, 7, -1, -1]) == [0.5, 0.5, 1, 1, 0, 0]
