"""What a machine can ask, published as OpenAPI: facts/openapi.toml with the city's own address."""

import json
import tomllib
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.resources import files
from typing import Any

from django.conf import settings

from policity.foundations.places.declarations import CITY, born_with_city, fixed
from policity.kit.declare import Lane, PageFamily, Rendered, Stage
from policity.kit.languages import LANGUAGES

_ADDRESS = "/api/openapi.json"


def description() -> dict[str, Any]:
    """The OpenAPI document, with where it is served and with every language's addresses."""
    said = tomllib.loads((files("policity.project") / "facts/openapi.toml").read_text("utf-8"))
    kinds = said.pop("x-kinds")
    for path, item in list(said["paths"].items()):
        for one in item.values():
            if isinstance(one, dict) and (kind := one.pop("x-kind", "")):
                known = kinds[kind] | (kinds["one"] if "{" in path else {})
                told = {code: {"$ref": f"#/components/responses/{known[code]}"} for code in known}
                one["responses"] = told | one["responses"]
        if item.pop("x-languages", False):
            said["paths"][f"/{{language}}{path}"] = _below(item)
    return said | {"servers": [{"url": settings.PUBLIC_URL.rstrip("/")}]}


def _below(item: dict[str, Any]) -> dict[str, Any]:
    """A path's operations in the other languages, each with an id of its own."""
    language = {
        "name": "language",
        "in": "path",
        "required": True,
        "description": "ことば / The language; without it Japanese",
        "schema": {"enum": [language.prefix.strip("/") for language in LANGUAGES[1:]]},
    }
    told = {
        name: {**one, "operationId": f"{one['operationId']}In"} if isinstance(one, dict) else one
        for name, one in item.items()
    }
    return told | {"parameters": [language, *item.get("parameters", [])]}


def _describe(addresses: Sequence[str]) -> Iterator[tuple[str, Rendered | None]]:
    body = json.dumps(description(), ensure_ascii=False, separators=(",", ":")).encode()
    for address in addresses:
        yield address, Rendered(body, frozenset({CITY}))


PAGES = (
    PageFamily(
        name="machine-addresses",
        lane=Lane.ROUTINE,
        stage=Stage.ASSET,
        addresses=partial(fixed, _ADDRESS),
        born_of=partial(born_with_city, (_ADDRESS,)),
        render=_describe,
        is_linked=False,
    ),
)
