"""What the vendor's site answers, as an OpenAPI 3.1 document: served at /openapi.json, and tested against the site.

The pages are for people on phones; what is described is what a test or a monitor can rely on. The style sheet, the
script and the picture below /static/ belong to the pages, and are left out.
"""

from typing import Any

from wizard.licensing.vendor.image import ARCHIVE

JSON = dict[str, Any]


def _page(description: str, **headers: JSON) -> JSON:
    """An answer that is a page for people."""
    return {
        "description": description,
        "headers": headers,
        "content": {"text/html": {"schema": {"type": "string"}}},
    }


def _header(description: str, pattern: str = ".+") -> JSON:
    return {"description": description, "required": True, "schema": {"type": "string", "pattern": pattern}}


_RETRY_AFTER = _header("When there is room again, as an HTTP date.")
_ALLOW = _header("The methods that there are.")
_LOCATION = _header("The same address.", "^/L/")

_NO_METHOD = {"405": _page("There is no such method here.", Allow=_ALLOW)}
_FAILED = {"500": _page("It failed. Nothing was decided, or it is kept as it was decided.")}
_REFUSALS = {
    "403": _page("The seal does not belong to the QR code."),
    "404": _page("The licence is not known here."),
    "409": _page("The licence and the installation do not belong together, or there is a copy of it, or a rollback."),
    "410": _page("The licence has ended, or a newer QR code of the installation was answered."),
    "429": _page("20 QR codes of the licence were answered in 24 hours.", **{"Retry-After": _RETRY_AFTER}),
}
"""No code: the same whether one looks or decides. 400 is apart, because a form can be wrong, too."""

_TEXT = {
    "name": "text",
    "in": "path",
    "required": True,
    "description": "The 87 bytes of the QR code in base32 (RFC 4648) without padding.",
    "schema": {"type": "string", "pattern": "^[A-Z2-7]{140}$"},
}
_FORM = {
    "type": "object",
    "required": ["token", "decision"],
    "properties": {
        "token": {"type": "string", "description": "From the page that was shown.", "pattern": "^[0-9a-f]{64}$"},
        "decision": {"enum": ["issue", "decline"]},
    },
}
_HEALTH = {
    "type": "object",
    "required": ["status"],
    "properties": {"status": {"const": "ok"}},
    "additionalProperties": False,
}

DOCUMENT: JSON = {
    "openapi": "3.1.0",
    "info": {
        "title": "The vendor's activation page",
        "version": "1",
        "description": "What a phone opens after scanning the QR code of an authorization application.",
    },
    "paths": {
        "/L/{text}": {
            "parameters": [_TEXT],
            "get": {
                "operationId": "look",
                "summary": "Shows the case, or what was decided about it: with the code, or without one.",
                "responses": {
                    "200": _page("The case, the code, or that there is none."),
                    "400": _page("The address is no QR code."),
                    **_REFUSALS,
                    **_NO_METHOD,
                    **_FAILED,
                },
            },
            "post": {
                "operationId": "decide",
                "summary": "Issues or declines the code. The first decision about a QR code stands.",
                "requestBody": {
                    "required": True,
                    "content": {"application/x-www-form-urlencoded": {"schema": _FORM}},
                },
                "responses": {
                    "303": _page("It is decided.", Location=_LOCATION),
                    "400": _page("The form is not this page's, or the address is no QR code."),
                    **_REFUSALS,
                    "413": _page("The form has more than 4096 bytes."),
                    **_NO_METHOD,
                    **_FAILED,
                },
            },
        },
        f"/demonstration/{ARCHIVE}": {
            "get": {
                "operationId": "demonstration",
                "summary": "Issues a demonstration licence, and sends its image.",
                "responses": {
                    "200": {
                        "description": "A `docker save` archive.",
                        "headers": {
                            "Content-Disposition": _header("As a file of that name.", f"filename={ARCHIVE}$"),
                            "Content-Length": {"required": True, "schema": {"type": "integer", "minimum": 512}},
                        },
                        "content": {"application/x-tar": {}},
                    },
                    "503": _page("This machine's Python cannot be put into an image."),
                    **_NO_METHOD,
                    **_FAILED,
                },
            }
        },
        "/healthz": {
            "get": {
                "operationId": "health",
                "summary": "Says that the site answers.",
                "responses": {
                    "200": {"description": "It does.", "content": {"application/json": {"schema": _HEALTH}}},
                    **_NO_METHOD,
                },
            }
        },
        "/openapi.json": {
            "get": {
                "operationId": "description",
                "summary": "This document.",
                "responses": {
                    "200": {
                        "description": "An OpenAPI 3.1 document.",
                        "content": {"application/json": {"schema": {"type": "object", "required": ["openapi"]}}},
                    },
                    **_NO_METHOD,
                },
            }
        },
    },
}
