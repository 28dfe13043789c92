"""A saved model over HTTP: handed in as it is, and given back as it came."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import nbformat
import pytest

from jupyter_ppo.web.openapi import build_openapi

SUBMISSIONS = "/courses/ppo/assignments/one/submissions"


@pytest.fixture
def model() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data", json.dumps({"clip_range": 0.2, "n_steps": 64}))
        archive.writestr("policy.pth", b"weights")
        archive.writestr("_stable_baselines3_version", "2.7.0")
    return buffer.getvalue()


@pytest.fixture
def taking(source: bytes) -> bytes:
    """The author's notebook, which takes a saved model in the place of its first answer."""
    notebook = nbformat.reads(source.decode(), as_version=4)
    notebook.cells[1].metadata["tags"] = ["saved-model"]
    return nbformat.writes(notebook).encode()


async def test_a_model_is_handed_in_graded_and_given_back(
    api: Any, taking: bytes, model: bytes
) -> None:
    await api.course(taking)
    zipped = {"Content-Type": "application/zip"}
    receipt = await api.ok("sam", "POST", SUBMISSIONS, model, headers=zipped)
    assert (await api.graded(receipt["id"]))["points"] == 2
    back = await api("sam", "GET", f"/submissions/{receipt['id']}/notebook")
    assert back.body == model
    assert back.headers["Content-Type"] == "application/zip"
    assert f"{receipt['id']}.zip" in back.headers["Content-Disposition"]
    other = await api.submit(taking)
    back = await api("sam", "GET", f"/submissions/{other['id']}/notebook")
    assert back.headers["Content-Type"] == "application/x-ipynb+json"


async def test_what_is_no_model_is_refused_and_so_is_one_where_none_is_taken(
    api: Any, source: bytes, taking: bytes, model: bytes
) -> None:
    await api.course(taking)
    refused = await api("sam", "POST", SUBMISSIONS, model[:-1])
    body = json.loads(refused.body)
    assert (refused.code, body["code"], body["field"]) == (400, "invalid_model", "model")
    await api.ok("ines", "PUT", "/courses/ppo/assignments/one", source)
    refused = await api("sam", "POST", SUBMISSIONS, model)
    assert (refused.code, json.loads(refused.body)["code"]) == (400, "invalid_notebook")
    assert (await api.ok("gil", "GET", "/courses/ppo/submissions"))["total"] == 0


def test_the_document_says_both_forms() -> None:
    paths = build_openapi()["paths"]
    new = paths["/courses/{course}/assignments/{assignment}/submissions"]["post"]
    old = paths["/submissions/{submission_id}/notebook"]["get"]
    both = {"application/x-ipynb+json", "application/zip"}
    assert set(new["requestBody"]["content"]) == set(old["responses"]["200"]["content"]) == both
