"""The OpenAPI 3.1 document: made from the address table and the models, committed, served.

``python -m jupyter_ppo.web.openapi`` writes ``openapi.json`` anew.
"""

from __future__ import annotations

import inspect
import json
import re
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema
from tornado import web

from jupyter_ppo.web.base import API_PREFIX, PPOHandler
from jupyter_ppo.web.models import Error
from jupyter_ppo.web.operations import (
    Action,
    MediaType,
    Operation,
    answers,
    operation_of,
    permitted,
)

DOCUMENT = Path(__file__).with_name("openapi.json")

_VERBS = ("get", "post", "put", "delete", "patch")
_REFERENCE = "#/components/schemas/{model}"
_BYTES = {"type": "string", "format": "binary"}
_TOKEN = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "`token <token>` of this Jupyter server. A browser's login cookie, with the "
    "X-XSRFToken header on everything but GET, works as well. So does `Bearer ppo_...`, an API "
    "token, for what is about its course.",
}


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any name for this request. Sent again with the same body it makes nothing new: "
    "the first answer comes again, with 200.",
    "schema": {"type": "string", "pattern": "^[ -~]{1,200}$"},
}

_REVISION = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The revision that was seen, in quotation marks. When another one is stored by "
    "now nothing is changed: 409 with both values. Without it the last one to save wins.",
    "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
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
        paths[path] = {
            name: _operation(handler, name, models, has_names=bool(names)) for name in verbs
        }
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
            "description": "Courses, assignments, submissions and grades, running code, training "
            "runs. Every error has the shape of `Error`. Times are ISO 8601 in UTC.",
        },
        "servers": [{"url": API_PREFIX, "description": "below the base URL of the server"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": schemas["$defs"], "securitySchemes": {"token": _TOKEN}},
    }


def _operation(
    handler: type[PPOHandler],
    name: str,
    models: set[tuple[type[BaseModel], JsonSchemaMode]],
    *,
    has_names: bool,
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
            **_errors(operation, name, has_names=has_names),
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
    parameters = [] if operation.query is None else _query_parameters(operation.query)
    if operation.has_key:
        parameters.append(_KEY)
    if operation.has_revision:
        parameters.append(_REVISION)
    if parameters:
        document["parameters"] = parameters
    if getattr(verb, "__allow_unauthenticated", False):
        document["security"] = []
    if isinstance(operation.answer, type):
        models.add((operation.answer, "serialization"))
    if isinstance(operation.body, type):
        models.add((operation.body, "validation"))
    return document


#: Why each error comes; every one has the body of ``Error``.
_ERRORS = {
    HTTPStatus.BAD_REQUEST: "Something in the request cannot be used; `field` says what",
    HTTPStatus.UNAUTHORIZED: "An API token that is unknown, has expired or was revoked",
    HTTPStatus.FORBIDDEN: "Not signed in, or the caller's role does not allow this",
    HTTPStatus.NOT_FOUND: "There is no such thing, or not for this caller",
    HTTPStatus.CONFLICT: "It is there already, its state does not allow this, or somebody saved",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The request is too large",
    HTTPStatus.TOO_MANY_REQUESTS: "Over a rate or a quota; `Retry-After` says how long",
    HTTPStatus.INTERNAL_SERVER_ERROR: "A mistake of the server; its log says which",
    HTTPStatus.SERVICE_UNAVAILABLE: "A part of the service is missing or busy",
    HTTPStatus.INSUFFICIENT_STORAGE: "No room is left; nothing was kept",
}


def _errors(operation: Operation, name: str, *, has_names: bool) -> dict[str, Any]:
    """Return the errors that this kind of request can get, by status."""
    is_read = name == "get"
    never = set() if has_names else {HTTPStatus.NOT_FOUND}
    if is_read:
        never |= {HTTPStatus.INSUFFICIENT_STORAGE}
        if not has_names:  # what is named may be of another kind, and is answered 409 then
            never.add(HTTPStatus.CONFLICT)
    answered = {operation.status, *operation.same}
    return {
        str(status.value): {"description": why, "content": _content(Error)}
        for status, why in _ERRORS.items()
        if status not in never | answered
    }


def _content(kind: type[BaseModel] | MediaType) -> dict[str, Any]:
    if isinstance(kind, MediaType):
        is_json = kind in {MediaType.JSON, MediaType.NOTEBOOK}
        schema = {"type": "object"} if is_json else _BYTES
        return {kind.value: {"schema": schema}}
    return {MediaType.JSON.value: {"schema": {"$ref": _REFERENCE.format(model=kind.__name__)}}}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(query: type[BaseModel]) -> list[dict[str, Any]]:
    schema = query.model_json_schema(ref_template=_REFERENCE)
    definitions = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "schema": _without_references(field, definitions),
        }
        for name, field in schema["properties"].items()
    ]


def _without_references(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema in one piece; nobody can send null in an address."""
    kinds = [kind for kind in field.get("anyOf", []) if kind.get("type") != "null"]
    known = field | kinds[0] if len(kinds) == 1 else field
    reference = known.get("$ref", "")
    known = known | definitions.get(reference.rpartition("/")[2], {})
    left_out = {"$ref", "title", "anyOf"} if kinds else {"$ref", "title"}
    if known.get("default", ...) is None:
        left_out.add("default")
    return {key: value for key, value in known.items() if key not in left_out}


def render(document: dict[str, Any]) -> str:
    """Return the text that is committed."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


handlers = [("/openapi.json", OpenAPIHandler)]

if __name__ == "__main__":
    DOCUMENT.write_text(render(build_openapi()), encoding="utf-8")
