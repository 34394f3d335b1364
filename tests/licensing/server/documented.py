"""What the application says of its own API, as a client reads it."""

import json
from collections.abc import Iterator
from typing import Any

import schemathesis

from wizard.licensing.server.openapi import document
from wizard.licensing.server.operations import OPERATIONS, Operation

DOCUMENT: Any = json.loads(json.dumps(document()))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)


def responses(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method]["responses"]
    return found


def says(response: Any) -> list[str | None]:
    """What a documented response can say; nothing in particular, when it is a text."""
    (content,) = response["content"].values()
    return list(content.get("examples", [None]))


def answers() -> Iterator[tuple[Operation, int, str]]:
    """Each answer of each operation: its status, and what it says (the status again, when it is a text)."""
    for operation in OPERATIONS:
        for status, response in responses(operation).items():
            for word in says(response):
                yield operation, int(status), word or status


ALL = tuple(answers())
