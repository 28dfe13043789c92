import time

from jupyter_ppo.domain.ids import new_id


def test_ids_are_uuids_of_version_7() -> None:
    made = new_id()
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"


def test_ids_carry_the_time_so_that_later_ones_sort_later() -> None:
    before = time.time_ns() // 1_000_000
    made = new_id()
    after = time.time_ns() // 1_000_000
    assert before <= made.int >> 80 <= after


def test_ten_thousand_ids_are_all_different() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000
