"""Lists of people as spreadsheets and learning platforms write them."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_ppo.domain.courses import Role, one_spelling
from jupyter_ppo.domain.errors import InvalidInputError, TooLargeError
from jupyter_ppo.domain.roster import Member, Person
from jupyter_ppo.services.roster_csv import (
    MAX_BYTES,
    MAX_CELL,
    MAX_PROBLEMS,
    ReadRoster,
    read_roster,
    roster_csv,
)


def told(read: ReadRoster) -> list[tuple[int, str]]:
    assert read.problem_count == len(read.problems)
    return [(problem.line, problem.field) for problem in read.problems]


def test_a_list_says_who_in_which_role_and_groups() -> None:
    read = read_roster(
        b"User,Role,First Name,last_name,E mail,email,LMS_user_id,groups\n"
        b"ada,Grader,Ada,Lovelace,x,ada@uni.edu,17,lab 1; late ;lab 1\n\n"
        b"bob,,,,,,,\n"
    )
    assert told(read) == []
    ada, bob = read.rows
    assert (ada.line, ada.user, ada.role, ada.groups) == (2, "ada", Role.GRADER, ("lab 1", "late"))
    assert ada.person == Person("Ada", "Lovelace", "ada@uni.edu", "17")
    assert (bob.line, bob.role, bob.person, bob.groups) == (4, None, Person(), ())


@pytest.mark.parametrize("name", ["user", "USERNAME", "student_id", "Student ID", "id"])
def test_the_column_of_usernames_has_several_names(name: str) -> None:
    [row] = read_roster(f"{name}\nada\n".encode()).rows
    assert row.user == "ada"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_spreadsheet_is_read_the_same(encoding: str, delimiter: str, end: str) -> None:
    lines = (("user", "last_name", "first_name"), ("zoé", '"O; Brien, ""x"""', "Zoé"))
    text = "".join(delimiter.join(cells) + end for cells in lines)
    [row] = read_roster(text.encode(encoding)).rows
    assert (row.user, row.person.last_name, row.person.first_name) == (
        "zoé",
        'O; Brien, "x"',
        "Zoé",
    )


def test_a_line_number_is_that_of_the_file_also_after_cells_with_line_breaks() -> None:
    read = read_roster(b'user,note,role\nada,"two\nlines",student\nbob,x,boss\n')
    assert told(read) == [(4, "role")]
    assert "student, grader, instructor" in read.problems[0].message


def test_every_problem_is_told_with_its_line_and_column() -> None:
    read = read_roster(
        "user,role,email,groups\n"
        "ada,admin,,\n"
        ",student,,\n"
        "a/b,,,\n"
        "bob,,,x/y\n"
        f"cy,,{'x' * 201},\n"
        "dora,,,,,too many\n"
        f"eve,{'x' * (MAX_CELL + 1)},,\n"
        'fay,,"tab\there",\n'
        "gil,,,\n"
        "gil,,,\n".encode()
    )
    assert told(read) == [
        (2, "role"),
        (3, "user"),
        (4, "user"),
        (5, "groups"),
        (6, "email"),
        (7, ""),
        (8, ""),
        (9, "email"),
        (11, "user"),
    ]
    assert read.problems[-1].message == "'gil' is on line 10 already."
    assert "server's configuration" in read.problems[0].message


def test_of_very_many_problems_the_first_are_told_and_the_others_counted() -> None:
    read = read_roster(b"user,role\n" + b"ada,boss\n" * 1000)
    assert len(read.problems) == MAX_PROBLEMS
    assert read.problem_count == 1000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"name,role\nada,student\n", "names no column 'user'"),
        (b"user,role,Role\nada,student,grader\n", "'role' twice"),
        (b"user\nada\n\xff\xfe\n", "Line 3 of the list is not UTF-8"),
        (b"\xff\xfeu", "not UTF-8"),
        (b"user" + b"," * 200, "201 columns"),
    ],
)
def test_what_is_no_list_of_people_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read_roster(data)


def test_a_quote_that_is_never_closed_is_a_problem_and_not_the_rest_of_the_list() -> None:
    read = read_roster(b'user\nada\n"bob\ncy\n')
    assert [row.user for row in read.rows] == ["ada"]
    assert read.problem_count == 1
    assert "cannot be read as CSV" in read.problems[0].message


def test_a_list_over_the_limits_is_refused() -> None:
    with pytest.raises(TooLargeError, match="20 MiB"):
        read_roster(b"x" * (MAX_BYTES + 1))
    with pytest.raises(TooLargeError, match="more than 200,000 people"):
        read_roster(b"user\n" + b"".join(b"%d\n" % at for at in range(200_001)))


def test_a_hundred_thousand_lines_are_read() -> None:
    lines = (f"s{at},Ada,Lovelace,s{at}@uni.edu,g{at % 50}\n" for at in range(100_000))
    data = "user,first_name,last_name,email,groups\n" + "".join(lines)
    assert len(read_roster(data.encode()).rows) == 100_000


def test_a_formula_is_written_as_text_and_read_back() -> None:
    member = Member("=cmd()", Role.STUDENT, Person("+1", "'-2", "@x", "'y"), (), None)
    text = "".join(roster_csv([member]))
    assert text.endswith("\r\n'=cmd(),student,'+1,''-2,'@x,'y,\r\n")
    [row] = read_roster(text.encode()).rows
    assert (row.user, row.person) == (member.user, member.person)


def _texts(without: str = "") -> st.SearchStrategy[str]:
    characters = st.characters(
        exclude_categories=("C", "Z"), exclude_characters=without, include_characters=" "
    )
    return st.one_of(
        st.text(characters, max_size=12),
        st.text("'=+-@,;\"a " if not without else "'=+-@,", max_size=4),
    ).map(str.strip)


printable = _texts()
names = _texts(";/").map(one_spelling).filter(lambda name: name not in {"", ".", ".."})


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            Member,
            user=names,
            role=st.sampled_from([role for role in Role if role is not Role.ADMIN]),
            person=st.builds(Person, printable, printable, printable, printable),
            groups=st.lists(names, max_size=3, unique=True).map(tuple),
            enrolled_at=st.just(datetime(2026, 1, 1, tzinfo=UTC)),
        ),
        max_size=6,
        unique_by=lambda member: member.user,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_an_exported_list_is_read_back_as_it_was(members: list[Member], encoding: str) -> None:
    read = read_roster("".join(roster_csv(members)).encode(encoding))
    assert told(read) == []
    assert [(row.user, row.role, row.person, row.groups) for row in read.rows] == [
        (member.user, member.role, member.person, member.groups) for member in members
    ]


@settings(max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_are_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidInputError):
        read_roster(b"user,role\n" + data)
