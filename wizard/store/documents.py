"""Values as JSON text and back. A field that is added later needs a default, so that older documents still open."""

from typing import TypeVar

import msgspec

Value = TypeVar("Value")


def write(value: object) -> str:
    return msgspec.json.encode(value).decode()


def read(document: str, kind: type[Value]) -> Value:
    return msgspec.json.decode(document, type=kind)
