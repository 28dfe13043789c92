from __future__ import annotations

import base64
import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_ppo.autograde.notebook_grader import NotebookGrader
from jupyter_ppo.domain.exam import CheckLine
from jupyter_ppo.domain.grading import ExerciseGrade
from jupyter_ppo.domain.sandbox import Verdict

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20).decode()
EVIL = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<iframe src='javascript:alert(1)'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "![x](https://example.org/pixel.png)",
    "<style>body{display:none}</style>",
    "<form action='https://example.org'><input name=password></form>",
    "<meta http-equiv=refresh content='0;url=https://example.org'>",
    "</pre></section></main></body></html><script>alert(1)</script>",
    "<math><mtext></mtext><mglyph><style><!--</style><img title='--&gt;&lt;img onerror=1&gt;'>",
    "<div style='position:fixed;inset:0'>covered</div>",
]


class Page(HTMLParser):
    """Collects every tag and attribute of a page."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(data.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def assert_harmless(page: Page) -> None:
    assert not {"script", "iframe", "svg", "form", "input", "object", "embed", "math"} & {
        *page.tags
    }
    assert page.tags.count("style") == 1
    assert page.tags.count("body") == 1
    assert page.tags.count("meta") == 2
    for tag, name, value in page.attributes:
        assert not name.startswith("on")
        assert name != "style"
        if name == "src":
            assert re.match(r"data:image/(png|jpeg);base64,[A-Za-z0-9+/=]+\Z", value)
        if name == "href":
            assert re.match(r"(https?:|mailto:|#ex-)", value), (tag, value)


@pytest.fixture
def page(grader: NotebookGrader, make: Any, source: bytes) -> Any:
    """Makes the page for a submission with the outputs given by cell index."""
    released = grader.release(source)

    def made(
        outputs: Any = None, *, extra: Any = (), submission: Any = None, **changes: Any
    ) -> Page:
        document = json.loads(released.release)
        document["cells"] += list(extra)
        notebook = grader.restore(source, json.dumps(document).encode())
        run = make.ran(notebook, outputs, **changes)
        grades = grader.score(notebook, run, released.exercises)
        return Page(grader.feedback(submission or make.submission(), run, grades))

    return made


def test_the_page_says_who_what_and_how_many_points(page: Any, make: Any) -> None:
    found = page(submission=make.submission(warnings=("One cell is <missing>.",)))
    for words in (
        "squares", "ada, attempt 2", "2026-01-02 03:04:05 UTC", "of 9 points",
        "a person still has to look", "One cell is <missing>.", "All tests passed.", "3 of 3",
        "No answer.", "waits for a person",
    ):  # fmt: skip
        assert words in found.text
    assert ("section", "id", "ex-square_works") in found.attributes
    assert ("a", "href", "#ex-square_works") in found.attributes


def test_hidden_tests_are_never_shown(page: Any, make: Any) -> None:
    leak = make.error("AssertionError", "", "----> 3 assert square(12) == 144", "AssertionError: ")
    echo = make.stream("stdout", "print(In[2])\n  assert square(12) == 144\n")
    table = make.display(text_html="<p>assert square(12) == 144</p>")
    spelled = make.result(repr("x\nassert square(12) == 144"))
    found = page({3: [leak], 2: [echo, table, spelled], 6: [leak]}, extra=[make.code("print(In)")])
    assert "144" not in found.text
    assert "HIDDEN TESTS" not in found.text
    assert "[hidden test]" in found.text
    assert "assert square(2) == 4" in found.text
    assert "Anything goes" not in found.text


def test_a_cell_without_its_mark_of_origin_is_shown_without_source(
    grader: NotebookGrader, make: Any, source: bytes
) -> None:
    notebook = grader.restore(source, grader.release(source).release)
    for cell in notebook["cells"]:
        cell["metadata"].pop("jupyter_ppo")
    found = Page(grader.feedback(make.submission(), make.ran(notebook), ()))
    assert "144" not in found.text
    assert "its source is not shown" in found.text


def test_a_students_own_error_is_shown_in_full_and_a_tests_error_in_one_line(
    page: Any, make: Any
) -> None:
    trace = ["\x1b[31mCell In[2], line 5\x1b[0m", "NameError: y"]
    error = make.error("NameError", "y", *trace)
    found = page({2: [error], 3: [error]})
    assert found.text.count("Cell In[2], line 5") == 1
    assert "NameError: y" in found.text
    assert "\x1b" not in found.text


@pytest.mark.parametrize("evil", EVIL)
def test_nothing_a_student_writes_becomes_active(page: Any, make: Any, evil: str) -> None:
    found = page(
        {
            2: [
                make.stream("stdout", evil),
                make.error(evil, evil, evil),
                make.display(text_html=f"<p>{evil}</p>"),
                make.display(image_svg=evil, application_javascript=evil),
                make.display(image_png=evil),
                make.display(**{f"text_{evil}": evil}),
                make.result(evil),
            ],
            3: [make.error(evil, evil, evil)],
        },
        extra=[make.text(evil), make.text(f"# {evil}\n\n| {evil} |\n|--|\n| {evil} |")],
        submission=make.submission(user=evil, warnings=(evil,)),
    )
    assert_harmless(found)


@settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    pieces=st.lists(st.sampled_from([*EVIL, "`", "```", "$$", "<", "&lt;", '"', "'"]) | st.text()),
)
def test_no_mixture_of_them_becomes_active_either(page: Any, make: Any, pieces: list[str]) -> None:
    evil = "".join(pieces).encode("utf-8", "ignore").decode()
    found = page(
        {2: [make.display(text_html=evil), make.stream("stdout", evil)]}, extra=[make.text(evil)]
    )
    assert_harmless(found)


def test_small_real_pictures_are_shown_and_others_are_named(page: Any, make: Any) -> None:
    found = page({2: [make.display(image_png=PNG), make.display(image_jpeg=PNG)]})
    assert [value for _, name, value in found.attributes if name == "src"] == [
        f"data:image/png;base64,{PNG}"
    ]
    assert "A picture is not shown" in found.text
    large = base64.b64encode(base64.b64decode(PNG) + b"0" * 500_000).decode()
    assert "img" not in page({2: [make.display(image_png=large)]}).tags


def test_invisible_and_bidirectional_characters_are_named(page: Any, make: Any) -> None:
    spoof = "access = 'user\u202e \u2066# admin\u2069'\u200b\x00\x08"
    found = page({2: [make.stream("stdout", spoof)]}, extra=[make.code(spoof), make.text(spoof)])
    assert not re.search("[\u202e\u2066\u2069\u200b\x00\x08]", found.text)
    assert found.text.count("[U+202E]") == 3


def test_floods_are_cut_and_the_page_stays_small(
    grader: NotebookGrader, make: Any, source: bytes
) -> None:
    flood = make.stream("stdout", "x" * 300_000)
    extra = [make.code(f"print({n})") for n in range(200)]
    document = json.loads(grader.release(source).release)
    document["cells"] += extra
    notebook = grader.restore(source, json.dumps(document).encode())
    outputs = {index: [flood] * 60 for index in range(6, 206)}
    data = grader.feedback(make.submission(), make.ran(notebook, outputs), ())
    assert len(data) < 6_000_000
    text = Page(data).text
    assert "the middle is left out" in text
    assert "10 more outputs are left out" in text
    assert "The rest of the notebook is left out" in text


def test_a_run_that_was_cut_short_says_which_limit_it_hit(page: Any) -> None:
    found = page(
        unfinished=[3],
        verdict=Verdict.CELL_TIMEOUT,
        detail="Cell 4 ran longer than 30 s (limit cell_seconds).",
    )
    assert "did not run to its end. Cell 4 ran longer than 30 s (limit" in found.text
    assert "Did not finish: it ran longer than 30 s." in found.text


def test_the_page_says_that_hidden_tests_were_run_where_they_were(page: Any, make: Any) -> None:
    note = "More tests were run that are not shown."
    assert page().text.count(note) == 1
    for line, times in ((1, 0), (3, 1)):
        trace = make.error("AssertionError", "", f"Cell In[3], line {line}\n----> assert")
        assert page({3: [trace]}).text.count(note) == times
    cut = page(unfinished=[3], verdict=Verdict.CELL_TIMEOUT, detail="Cell 4 ran longer than 30 s.")
    assert note not in cut.text


def test_a_missing_answer_is_named(grader: NotebookGrader, make: Any, source: bytes) -> None:
    notebook = grader.restore(source, make.data(make.code("1")))
    found = Page(grader.feedback(make.submission(), make.ran(notebook), ()))
    assert "was missing in your notebook" in found.text


def test_formulas_are_drawn_in_the_text_and_in_what_checks_say(
    grader: NotebookGrader, make: Any, source: bytes
) -> None:
    released = grader.release(source)
    document = json.loads(released.release)
    document["cells"].append({"id": "own", **make.text("It costs $5 and $10. $\\lambda^2$")})
    notebook = grader.restore(source, json.dumps(document).encode())
    run = make.ran(notebook)
    check = CheckLine("What is $\\hat{A}$?", 0, 1, "Not <b>$x_1$</b>, see `$x$`.")
    grade = ExerciseGrade("square_works", 0, 3, False, "No $\\gamma$.", checks=(check,))
    html = grader.feedback(make.submission(), run, [grade]).decode()
    assert "It costs $5 and $10. <math>" in html
    assert "What is <math><mrow><mover" in html
    assert "Not &lt;b&gt;<math><mrow><msub>" in html
    assert "see `$x$`." in html
    assert "<td>No <math><mrow><mi>\u03b3</mi></mrow></math>." in html
    assert ".formula {" in html
    assert not re.search(r"<(script|link|img)|src=|url\(", html)
