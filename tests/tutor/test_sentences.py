"""A text in pieces becomes whole sentences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.tutor.sentences import Sentences

WORDS = st.text(alphabet='ab .!?\n")é', max_size=80)


def test_nothing_is_given_before_the_next_sentence_begins() -> None:
    sentences = Sentences()
    assert sentences.add("Look at the su") == []
    assert sentences.add("m. ") == []
    assert sentences.add("Then") == ["Look at the sum. "]
    assert sentences.end() == ["Then"]


def test_numbers_and_names_do_not_end_a_sentence() -> None:
    sentences = Sentences()
    assert sentences.add("gamma is 0.99 and np.mean is used! So") == [
        "gamma is 0.99 and np.mean is used! "
    ]


@given(st.lists(WORDS, max_size=20))
def test_all_sentences_are_the_whole_text(pieces: list[str]) -> None:
    sentences = Sentences()
    found = [each for piece in pieces for each in sentences.add(piece)]
    found += sentences.end()
    assert "".join(found) == "".join(pieces) == sentences.so_far


@given(WORDS, st.data())
def test_how_it_is_cut_makes_no_difference(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    whole, cut = Sentences(), Sentences()
    expected = whole.add(text) + whole.end()
    assert cut.add(text[:at]) + cut.add(text[at:]) + cut.end() == expected


def test_a_sentence_without_an_end_is_let_go() -> None:
    sentences = Sentences()
    found = sentences.add("word " * 1000)
    assert found
    assert max(map(len, found)) <= 600
    assert sentences.add("x" * 2000)
