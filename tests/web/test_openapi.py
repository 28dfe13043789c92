"""The committed OpenAPI document is what the code describes, and valid."""

from __future__ import annotations

import json
import re
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from jupyter_ppo.domain.hyperparameters import HYPERPARAMETERS
from jupyter_ppo.web.openapi import DOCUMENT, build_openapi, render
from jupyter_ppo.web.training_requests import NewRuns
from jupyter_ppo.web.urls import ROUTES


def test_the_committed_document_is_up_to_date() -> None:
    committed = DOCUMENT.read_text(encoding="utf-8")
    assert committed == render(build_openapi()), "run: python -m jupyter_ppo.web.openapi"


def test_the_document_is_valid_openapi() -> None:
    OpenAPIV31SpecValidator(build_openapi()).validate()


def test_the_document_has_every_verb_with_a_summary_and_its_own_name() -> None:
    paths = build_openapi()["paths"]
    assert list(paths) == [path for path, _ in ROUTES]
    operations = [
        operation
        for path in paths.values()
        for key, operation in path.items()
        if key != "parameters"
    ]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(len(operation["summary"]) > 10 for operation in operations)
    assert [path for path in paths if paths[path].get("get", {}).get("security") == []] == [
        "/health",
        "/achievements/keys",
        "/execute/health",
    ]


def test_every_status_that_brings_an_answer_is_in_the_document() -> None:
    answers = build_openapi()["paths"]["/execute"]["post"]["responses"]
    assert sorted(answers) == [
        *("200", "400", "401", "403", "408", "409", "413", "429", "500", "503", "507")
    ]
    for status in ("400", "408", "507"):
        [either] = answers[status]["content"].values()
        models = [kind["$ref"].rpartition("/")[2] for kind in either["schema"]["anyOf"]]
        assert models == ["ExecutionResult", "Error"]


def test_every_error_is_written_with_the_one_shape_and_no_request_gets_an_unnamed_one() -> None:
    for path in build_openapi()["paths"].values():
        for verb, operation in path.items():
            if verb == "parameters":
                continue
            answers = operation["responses"]
            assert "default" not in answers
            assert {"403", "500", "503"} <= set(answers)
            [shape] = answers["403"]["content"].values()
            assert shape["schema"]["$ref"].endswith("/Error")


def test_the_key_of_a_submission_is_described_where_it_is_taken() -> None:
    paths = build_openapi()["paths"]
    taking = [
        path
        for path in paths
        for parameter in paths[path].get("post", {}).get("parameters", [])
        if parameter["name"] == "Idempotency-Key"
    ]
    assert taking == [
        "/courses/{course}/assignments/{assignment}/submissions",
        "/courses/{course}/submissions",
        "/courses/{course}/entries/{assignment}/submissions",
        "/runs",
    ]


def test_a_spec_is_described_setting_by_setting_with_its_bounds() -> None:
    body = build_openapi()["components"]["schemas"]["NewRuns"]
    settings = body["properties"]["spec"]["properties"]
    assert set(HYPERPARAMETERS) < set(settings)
    assert settings["batch_size"]["maximum"] == HYPERPARAMETERS["batch_size"].high
    assert all(settings[name]["description"] for name in HYPERPARAMETERS)
    for example in body["examples"]:
        assert NewRuns.model_validate(example).specs()


def test_the_messages_of_a_stream_are_described_where_it_is_opened() -> None:
    document = build_openapi()
    answer = document["paths"]["/runs/{run_id}/stream"]["get"]["responses"]["101"]
    schema = answer["content"]["application/json"]["schema"]
    assert schema["$ref"].endswith("/StreamMessage")
    kinds = document["components"]["schemas"]["StreamMessage"]["discriminator"]["mapping"]
    assert sorted(kinds) == ["end", "event", "points", "status"]


def test_every_parameter_of_an_address_is_described() -> None:
    for path, description in build_openapi()["paths"].items():
        described = [each["name"] for each in description.get("parameters", [])]
        assert described == re.findall(r"\{(\w+)\}", path)


async def test_the_document_is_served(api: Any) -> None:
    response = await api("sam", "GET", "/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    assert json.loads(response.body) == build_openapi()
