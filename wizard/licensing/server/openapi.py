"""The API as an OpenAPI 3.1 document, made of `operations` and `schemas`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from wizard.licensing.protocol import api as paths
from wizard.licensing.server.operations import OPERATIONS, Operation
from wizard.licensing.server.refusals import REFUSALS, Json
from wizard.licensing.server.schemas import SCHEMAS, failed, ref, sample, text

ABOUT = """\
Of one licence instance: its QR and its codes, its registrations, and its end. The numbers of the rules are those of
SPEC.md, section 2. All times are spans in milliseconds; a limit belongs to the allowed side (R14).

What is refused before anybody looks at what it is about has the shape of `Failure` here, too: `not_found` for an
address that there is not (404), `method_not_allowed` (405, with `Allow`), and `internal_server_error` (500), which
should not happen.
"""

HEADERS: Mapping[int, Mapping[str, Json]] = {
    401: {"WWW-Authenticate": {"schema": text("RFC 9110, 11.6.1", 'Bearer realm="authorization application"')}},
    429: {"Retry-After": {"schema": text("Seconds until the next one is possible.", "10", pattern="^[0-9]+$")}},
    503: {"Retry-After": {"schema": text("Seconds until it is worth asking again.", "60", pattern="^[0-9]+$")}},
}

BEFORE = ("not_found", "method_not_allowed", "internal_server_error")
"""What no operation answers, for it was not reached."""

TEXTS: Mapping[str, str] = {
    "text/html": "<!doctype html><title>Scan the code · Authorization application</title>",
    "text/plain": 'license_server_slots{state="LIVE"} 2.0\n',
}
"""An example of each media type that is no JSON."""


@dataclass(frozen=True)
class Document:
    """One that is answered: with that status, of that schema, saying that; and an example."""

    status: int
    schema: str
    says: str
    example: object


@cache
def document() -> Json:
    by_path: dict[str, dict[str, Json]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Authorization application", "version": str(paths.PROTOCOL), "description": ABOUT},
        "paths": by_path,
        "components": {
            "schemas": SCHEMAS,
            "responses": {code: _response([_failure(code)]) for code in BEFORE},
            "securitySchemes": {
                paths.ENTRY_TOKEN: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": f"The digits in the file `{paths.ENTRY_TOKEN}` of the config volume.",
                }
            },
        },
    }


def _described(operation: Operation) -> Json:
    body = {
        "requestBody": {
            "required": True,
            "content": {
                media: {"schema": ref(name), "example": sample(ref(name))} for media, name in operation.takes.items()
            },
        }
    }
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{operation.about}\n\nRules: {operation.rules}.",
        "security": list(operation.security),
        **(body if operation.takes else {}),
        "responses": _responses(operation),
    }


def _responses(operation: Operation) -> Json:
    documents = list(_documents(operation))
    by_status = {status: _text(status, says, operation.media) for status, says in operation.texts.items()}
    for status in {document.status for document in documents}:
        by_status[status] = _response([document for document in documents if document.status == status])
    return {str(status): by_status[status] for status in sorted(by_status)}


def _documents(operation: Operation) -> Iterator[Document]:
    status = sample(ref("Status"))
    for code, name in operation.answers.items():
        yield Document(code, name, name, sample(ref(name)))
    for code, judgements in operation.judged.items():
        for judgement in judgements:
            yield Document(code, "Judged", judgement, {"judgement": judgement, "status": status})
    for refusal in operation.refusals:
        yield Document(REFUSALS[refusal].status, "Refusal", refusal, {**failed(refusal), "status": status})
    for failure in operation.failures:
        yield _failure(failure)


def _failure(code: str) -> Document:
    return Document(REFUSALS[code].status, "Failure", code, failed(code))


def _response(documents: Sequence[Document]) -> Json:
    """All documents of one status."""
    schemas = [ref(name) for name in sorted({document.schema for document in documents})]
    return {
        "description": ", ".join(document.says for document in documents),
        "headers": HEADERS.get(documents[0].status, {}),
        "content": {
            "application/json": {
                "schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas},
                "examples": {document.says: {"value": document.example} for document in documents},
            }
        },
    }


def _text(status: int, says: str, media: str) -> Json:
    content = {media: {"schema": {"type": "string"}, "example": TEXTS[media]}}
    return {"description": says, "headers": HEADERS.get(status, {}), "content": content}
