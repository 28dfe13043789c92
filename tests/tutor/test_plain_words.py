"""Nothing of a model's text is more than words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.tutor.plain_words import plain_words


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Look at **this** sum.", "Look at this sum."),
        ("## A title\nWords.", "A title\nWords."),
        ("See [the page](https://evil.example/?q=secret).", "See the page."),
        ("![picture](https://evil.example/x.png) done", "picture done"),
        ("![x](https://evil.example/unclosed", "x"),
        ("Go to https://evil.example/a?b=c now.", "Go to (address left out) now."),
        ("<img src=x onerror=alert(1)>Hello", "Hello"),
        ("a<!-- hidden -->b", "ab"),
        ("<scr<b>ipt>x</script>", "x"),
        ("zero\u200bwidth and \u202eturned", "zerowidth and turned"),
        ("tag\U000e0041 characters", "tag characters"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("[1]: https://evil.example", ""),
        ("if a < b and b > c", "if a < b and b > c"),
        ("snake_case_name * 2 * 3", "snake_case_name * 2 * 3"),
        ("javascript:alert(1)", "(address left out))"),
    ],
)
def test_markup_goes_and_words_stay(text: str, plain: str) -> None:
    assert plain_words(text) == plain


@given(st.text(alphabet="ab<>![]()`*_#:/.htpsw\n\u200b", max_size=120))
def test_whatever_comes_no_link_tag_or_hidden_character_is_left(text: str) -> None:
    plain = plain_words(text)
    assert not re.search(r"https?\s*:|</?[A-Za-z][^<>\n]*>|\[[^\]\n]*\]\(", plain, re.IGNORECASE)
    assert "\u200b" not in plain
    assert plain_words(plain) == plain
