import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_ppo.domain.courses import Role, checked_name, checked_user
from jupyter_ppo.domain.errors import InvalidInputError

SAFE = string.ascii_letters + string.digits


@given(st.text(SAFE, min_size=1, max_size=1), st.text(SAFE + "._-", max_size=99))
def test_a_name_of_letters_digits_dots_dashes_is_accepted(first: str, rest: str) -> None:
    assert checked_name(first + rest, "course") == first + rest


@pytest.mark.parametrize(
    "name", ["", ".", "..", "-x", "a/b", "a\\b", "a b", "a\n", "ä", "a" * 101, "a\0", "%2e"]
)
def test_a_name_that_could_leave_its_folder_or_its_url_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^course: ") as caught:
        checked_name(name, "course")
    assert caught.value.field == "course"


@pytest.mark.parametrize(
    ("role", "grades", "authors"),
    [
        (Role.STUDENT, False, False),
        (Role.GRADER, True, False),
        (Role.INSTRUCTOR, True, True),
        (Role.ADMIN, True, True),
    ],
)
def test_what_each_role_may_do(role: Role, grades: bool, authors: bool) -> None:
    assert (role.may_grade, role.may_author) == (grades, authors)


@pytest.mark.parametrize("name", ["ada", "eve@uni.edu", "Ünal Öz", "o'neil+x", "a" * 255])
def test_usernames_are_what_identity_providers_give(name: str) -> None:
    assert checked_user(name) == name


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", " a", "a ", "a\n", "a\0", "a" * 256])
def test_a_username_that_is_no_word_for_a_person_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"^user: ") as caught:
        checked_user(name)
    assert caught.value.field == "user"
