"""Several runs over HTTP: the charts, how good each run is, and seeds as bands."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from jupyter_ppo.domain.charts import CHARTS
from jupyter_ppo.domain.training import Metric

DEADLINE_SECONDS = 60
ABSENT = "0199a5d2-0000-7000-8000-000000000000"


def said(response: Any) -> Any:
    return json.loads(response.body)


async def measured(api: Any, placed: Any, values: dict[int, list[float]], **spec: Any) -> list[str]:
    """Start runs with these seeds that have measured these returns; return their ids."""
    body = {"tags": ["wait"], "spec": spec, "seeds": list(values)}
    made = await api.ok("sam", "POST", "/runs", body)
    ids = []
    for run in made["items"]:
        deadline = time.monotonic() + DEADLINE_SECONDS
        while run["id"] not in placed:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.02)
        for number, value in enumerate(values[run["seed"]]):
            placed[run["id"]].measure([100 * (number + 1)], mean_return=value)
        ids.append(run["id"])
    return ids


@pytest.fixture
def service_settings() -> dict[str, Any]:
    return {"training_workers": 8, "training_quota": {"running": 8}}


async def test_the_charts_are_those_of_the_domain(api: Any) -> None:
    found = await api.ok("sam", "GET", "/runs/charts")
    assert found["items"] == [chart.to_dict() for chart in CHARTS]
    shown = {metric for chart in CHARTS for metric in chart.metrics}
    assert set(found["without_chart"]) == set(Metric) - shown


async def test_the_list_and_a_run_say_how_good_it_is_now(api: Any, placed: Any) -> None:
    [run] = await measured(api, placed, {0: [1.0, 2.0]})
    empty = (await api.ok("sam", "POST", "/runs", {"tags": ["wait"]}))["items"][0]["id"]
    placed[run].measure([300], eval_return=7.5)
    placed[run].measure(range(301, 400), **{"return": 3.0})
    page = await api.ok("sam", "GET", "/runs")
    listed = {item["id"]: item for item in page["items"]}
    assert (listed[run]["mean_return"], listed[run]["eval_return"]) == (2.0, 7.5)
    assert (listed[empty]["mean_return"], listed[empty]["eval_return"]) == (None, None)
    placed[run].measure([400], mean_return=float("nan"), eval_return=9.0)
    alone = await api.ok("sam", "GET", f"/runs/{run}")
    assert (alone["mean_return"], alone["eval_return"]) == (None, 9.0)


async def test_what_was_taken_back_is_not_the_newest_return(api: Any, placed: Any) -> None:
    [run] = await measured(api, placed, {0: [1.0, 2.0, 3.0]})
    placed[run].rewind(200)
    assert (await api.ok("sam", "GET", f"/runs/{run}"))["mean_return"] == 2.0


async def test_runs_that_differ_in_their_seed_alone_become_one_band(api: Any, placed: Any) -> None:
    fast = await measured(api, placed, {0: [1.0, 10.0], 1: [2.0, 20.0], 2: [3.0, 60.0]})
    [slow] = await measured(api, placed, {5: [4.0, 40.0]}, learning_rate=1e-5)
    query = {"ids": ",".join([*fast, slow, fast[0]]), "metric": "mean_return,entropy"}
    found = await api.ok("sam", "GET", "/runs/aggregate", params=query)
    assert found["statistic"] == "median_iqr"
    many, one = found["items"]
    assert (many["ids"], one["ids"]) == (fast, [slow])
    assert one["settings"] == {"learning_rate": 1e-5}
    assert many["metric"] == "mean_return"
    assert (many["steps"][0], many["steps"][-1]) == (100, 200)
    assert (many["centre"][0], many["centre"][-1]) == (2.0, 20.0)
    assert (many["low"][-1], many["high"][-1]) == (15.0, 40.0)
    assert one["low"] == one["centre"] == one["high"]


async def test_the_interquartile_mean_has_an_interval_that_holds_it(api: Any, placed: Any) -> None:
    values = {seed: [float(seed), 10.0 * seed] for seed in range(5)}
    ids = await measured(api, placed, values)
    query = {"ids": ",".join(ids), "metric": "mean_return", "statistic": "iqm_bootstrap"}
    [band] = (await api.ok("sam", "GET", "/runs/aggregate", params=query))["items"]
    assert band["centre"][-1] == 20.0
    assert 0.0 <= band["low"][-1] < 20.0 < band["high"][-1] <= 40.0
    again = await api.ok("sam", "GET", "/runs/aggregate", params=query)
    assert again["items"] == [band]


async def test_runs_of_others_are_not_compared(api: Any, placed: Any) -> None:
    [run] = await measured(api, placed, {0: [1.0]})
    query = {"ids": run, "metric": "mean_return"}
    refused = await api("sue", "GET", "/runs/aggregate", params=query)
    absent = await api("sam", "GET", "/runs/aggregate", params={**query, "ids": ABSENT})
    for response in (refused, absent):
        assert (response.code, said(response)["field"]) == (400, "ids")
        assert "There is no training run" in said(response)["message"]
    assert len((await api.ok("ada", "GET", "/runs/aggregate", params=query))["items"]) == 1


async def test_a_comparison_that_makes_no_sense_says_what_is_wrong(api: Any, placed: Any) -> None:
    [run] = await measured(api, placed, {0: [1.0]})
    sent = {"ids": run, "metric": "return"}
    many = ",".join(ABSENT[:-2] + f"{number:02}" for number in range(51))
    for change, field in (
        ({"ids": None}, "ids"),
        ({"ids": ""}, "ids"),
        ({"ids": "seven"}, "ids"),
        ({"ids": many}, "ids"),
        ({"metric": ""}, "metric"),
        ({"metric": ",".join(f"m{number}" for number in range(21))}, "metric"),
        ({"metric": "retrun"}, "metric"),
        ({"statistic": "best"}, "statistic"),
        ({"points": "5"}, "points"),
    ):
        query = {name: value for name, value in (sent | change).items() if value is not None}
        response = await api("sam", "GET", "/runs/aggregate", params=query)
        assert (response.code, said(response)["field"]) == (400, field), said(response)
        if change.get("metric") == "retrun":
            assert "Did you mean return?" in said(response)["message"]
