"""The OpenAPI 3.1 document: made from the address table and the models, committed, served.

``python -m jupyter_ppo.web.openapi`` writes ``openapi.json`` anew.
"""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from tornado import web

from jupyter_ppo.web.base import API_PREFIX, PPOHandler
from jupyter_ppo.web.models import Error
from jupyter_ppo.web.operations import Action, MediaType, answers, operation_of, permitted

DOCUMENT = Path(__file__).with_name("openapi.json")

_VERBS = ("get", "post", "put", "delete", "patch")
_REFERENCE = "#/components/schemas/{model}"
_BYTES = {"type": "string", "format": "binary"}
_TOKEN = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`token <token>` of this Jupyter server. A browser's login cookie, with the "
    "X-XSRFToken header on everything but GET, works as well.",
}


class OpenAPIHandler(PPOHandler):
    """``/openapi.json``: this API, for programs."""

    @web.authenticated
    @permitted(Action.READ)
    @answers(MediaType.JSON)
    async def get(self) -> None:
        """Return the OpenAPI document of this API."""
        self.finish(_committed())


@cache
def _committed() -> bytes:
    return DOCUMENT.read_bytes()


def build_openapi() -> dict[str, Any]:
    """Return the document that the code describes."""
    from jupyter_ppo.web.urls import ROUTES  # which imports this module for its handler

    models: set[tuple[type[BaseModel], JsonSchemaMode]] = {(Error, "serialization")}
    paths: dict[str, Any] = {}
    for path, handler in ROUTES:
        names = re.findall(r"\{(\w+)\}", path)
        verbs = [name for name in _VERBS if name in vars(handler)]
        paths[path] = {name: _operation(handler, name, models) for name in verbs}
        if names:
            paths[path]["parameters"] = [_path_parameter(name) for name in names]
    _, schemas = models_json_schema(
        sorted(models, key=lambda item: item[0].__name__), ref_template=_REFERENCE
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter-ppo",
            "version": "1",
            "description": "Courses, assignments, submissions and grades, and running code. Every "
            "error has the shape of `Error`. Times are ISO 8601 in UTC.",
        },
        "servers": [{"url": API_PREFIX, "description": "below the base URL of the server"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": schemas["$defs"], "securitySchemes": {"token": _TOKEN}},
    }


def _operation(
    handler: type[PPOHandler], name: str, models: set[tuple[type[BaseModel], JsonSchemaMode]]
) -> dict[str, Any]:
    verb = getattr(handler, name)
    operation = operation_of(verb)
    content = _content(operation.answer)
    if operation.also is not None:
        content |= _content(operation.also)
    document: dict[str, Any] = {
        "operationId": name + handler.__name__.removesuffix("Handler"),
        "summary": inspect.getdoc(verb),
        "responses": {
            str(operation.status.value): {
                "description": operation.status.phrase,
                "content": content,
            },
            "default": {"description": "An error", "content": _content(Error)},
        },
    }
    for status in operation.same:
        either = [
            _content(kind)[MediaType.JSON.value]["schema"] for kind in (operation.answer, Error)
        ]
        document["responses"][str(status.value)] = {
            "description": f"{status.phrase}: the answer, or an error",
            "content": {MediaType.JSON.value: {"schema": {"anyOf": either}}},
        }
    if operation.body is not None:
        taken = _content(operation.body)
        if operation.body_also is not None:
            taken |= _content(operation.body_also)
        document["requestBody"] = {"required": True, "content": taken}
    if operation.query is not None:
        document["parameters"] = _query_parameters(operation.query)
    if getattr(verb, "__allow_unauthenticated", False):
        document["security"] = []
    if isinstance(operation.answer, type):
        models.add((operation.answer, "serialization"))
    if isinstance(operation.body, type):
        models.add((operation.body, "validation"))
    return document


def _content(kind: type[BaseModel] | MediaType) -> dict[str, Any]:
    if isinstance(kind, MediaType):
        schema = {"type": "object"} if kind is MediaType.JSON else _BYTES
        return {kind.value: {"schema": schema}}
    return {MediaType.JSON.value: {"schema": {"$ref": _REFERENCE.format(model=kind.__name__)}}}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(ref_template=_REFERENCE)
    definitions = schema.get("$defs", {})
    parameters = []
    for name, field in schema["properties"].items():
        reference = field.get("$ref", "")
        known = field | definitions.get(reference.rpartition("/")[2], {})
        kept = {key: value for key, value in known.items() if key not in {"$ref", "title"}}
        parameters.append({"name": name, "in": "query", "required": False, "schema": kept})
    return parameters


def render(document: dict[str, Any]) -> str:
    """Return the text that is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


handlers = [("/openapi.json", OpenAPIHandler)]

if __name__ == "__main__":
    DOCUMENT.write_text(render(build_openapi()), encoding="utf-8")
