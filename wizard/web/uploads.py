"""Files in pieces: tus 1.0 (https://tus.io/protocols/resumable-upload) at /uploads/, for any client that speaks it.

Core, and the extensions creation, creation-with-upload, termination, checksum and expiration. Refusals are plain text,
which tus clients show; only what htmx asks for is HTML.
"""

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from datetime import datetime

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import (
    BadRequest,
    Conflict,
    HTTPException,
    MethodNotAllowed,
    PreconditionFailed,
    RequestEntityTooLarge,
    UnsupportedMediaType,
)
from werkzeug.http import http_date

from wizard.domain.upload import Upload
from wizard.errors import Busy, Problem, Stale, WizardError
from wizard.ports import Services, Uploads
from wizard.web import problems
from wizard.web.language import said
from wizard.web.receiving import receive
from wizard.web.security import LARGEST_BODY
from wizard.web.who import person

PREFIX = "/uploads"
VERSION = "1.0.0"
CONTENT = "application/offset+octet-stream"
ALGORITHMS = ("sha1", "sha256")
"""Of checksums, by their names in hashlib."""
ABILITIES = {
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,creation-with-upload,termination,checksum,expiration",
    "Tus-Max-Size": str(LARGEST_BODY),
    "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
}
NUMBER = re.compile("[0-9]{1,19}")
"""Bytes, in decimals; whatever is longer was never meant."""
SECONDS_TO_RETRY = 2


class ChecksumMismatch(HTTPException):
    """460 is tus's own."""

    code = 460
    name = "Checksum Mismatch"
    description = "The bytes are not those of the checksum. They were not kept."


def blueprint(services: Services) -> Blueprint:
    pages = Blueprint("uploads", __name__, url_prefix=PREFIX)
    dock = Dock(services.uploads, services.clock)
    pages.before_request(ensure_version)
    pages.after_app_request(versioned)
    pages.register_error_handler(WizardError, refused)
    pages.register_error_handler(CSRFError, not_understood)
    pages.register_error_handler(HTTPException, not_understood)
    for methods, rule, view in (
        (["OPTIONS"], "/", abilities),
        (["POST"], "/", dock.create),
        (["HEAD", "PATCH", "DELETE", "POST"], "/<id>", dock.one),
        (["GET"], "/<id>/passport", dock.passport),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=methods, provide_automatic_options=False)
    return pages


class Dock:
    """Where files arrive."""

    def __init__(self, uploads: Uploads, clock: Callable[[], datetime]) -> None:
        self.uploads, self.clock = uploads, clock
        self.views: Mapping[str, Callable[[str], Response]] = {
            "HEAD": self.show,
            "PATCH": self.add,
            "DELETE": self.remove,
        }

    def create(self) -> Response:
        length, metadata = number("Upload-Length"), sent_metadata()
        if length > LARGEST_BODY:
            raise RequestEntityTooLarge
        filename, mark = metadata.get("filename", ""), metadata.get("mark", "")
        upload = self.uploads.create(person().name, length, filename, mark, self.clock())
        if request.mimetype == CONTENT:
            upload = self.added(upload.id, 0)
        response = answer(201, upload)
        response.headers["Location"] = url_for(".one", id=upload.id)
        return response

    def one(self, id: str) -> Response:
        """Where neither PATCH nor DELETE can pass, POST says which it stands for."""
        overridden = request.headers.get("X-HTTP-Method-Override", "") if request.method == "POST" else request.method
        if overridden not in self.views:
            raise MethodNotAllowed(list(self.views))
        return self.views[overridden](id)

    def show(self, id: str) -> Response:
        upload = self.standing(id)
        response = answer(200, upload)
        response.headers["Upload-Length"] = str(upload.length)
        response.headers["Upload-Metadata"] = metadata_of(upload)
        return response

    def add(self, id: str) -> Response:
        if request.mimetype != CONTENT:
            raise UnsupportedMediaType(f"Bytes come as {CONTENT}.")
        return answer(204, self.added(id, number("Upload-Offset")))

    def remove(self, id: str) -> Response:
        self.uploads.remove(id, person().name, self.clock())
        return Response(status=204)

    def passport(self, id: str) -> ResponseReturnValue:
        """What is known of it so far, as a part of a page."""
        try:
            passport = self.uploads.passport(id, person().name, self.clock())
            upload = self.uploads.find(id, person().name, self.clock())
        except WizardError as error:
            return problems.shown(error.problem, error.status)
        return render_template("components/_passport.html", passport=passport, upload=upload)

    def added(self, id: str, offset: int) -> Upload:
        """The upload with the body behind those bytes."""
        checksum = sent_checksum()
        name, wanted = checksum or ("", b"")
        digest = hashlib.new(name, usedforsecurity=False) if checksum else None
        owner, now = person().name, self.clock()
        try:
            with self.uploads.append(id, owner, offset, now, is_doubtful=checksum is not None) as turn:
                receive(request, turn, digest)
                if digest is not None and not hmac.compare_digest(digest.digest(), wanted):
                    turn.undo()
                    raise ChecksumMismatch
        except Stale as stale:
            raise Conflict(response=elsewhere(stale, self.standing(id).offset)) from None
        return self.uploads.find(id, owner, self.clock())

    def standing(self, id: str) -> Upload:
        """The upload as it is; what was refused is refused with its reason."""
        owner, now = person().name, self.clock()
        self.uploads.passport(id, owner, now)
        return self.uploads.find(id, owner, now)


def abilities() -> Response:
    return Response(status=204, headers=ABILITIES)


def answer(status: int, upload: Upload) -> Response:
    headers = {"Upload-Offset": str(upload.offset), "Upload-Expires": http_date(upload.expires_at)}
    return Response(status=status, headers=headers)


def elsewhere(stale: Stale, offset: int) -> Response:
    response = plain(stale.problem, stale.status)
    response.headers["Upload-Offset"] = str(offset)
    return response


def ensure_version() -> None:
    if request.method not in ("OPTIONS", "GET") and request.headers.get("Tus-Resumable") != VERSION:
        response = Response(PreconditionFailed.description, 412, {"Tus-Version": VERSION}, mimetype="text/plain")
        raise PreconditionFailed(response=response)


def versioned(response: Response) -> Response:
    """Every answer of these addresses says which protocol it speaks, whoever gives it."""
    if request.path.startswith(PREFIX):
        response.headers["Tus-Resumable"] = VERSION
    return response


def refused(error: WizardError) -> Response:
    response = plain(error.problem, error.status)
    if isinstance(error, Busy):
        response.headers["Retry-After"] = str(SECONDS_TO_RETRY)
    return response


def not_understood(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.get_response()
    problem = problems.HTTP_PROBLEMS.get(error.code or 0)
    text = words(problem) if problem else f"{error.description}\n"
    return Response(text, f"{error.code} {error.name}", mimetype="text/plain")


def plain(problem: Problem, status: int) -> Response:
    return Response(words(problem), status, mimetype="text/plain")


def words(problem: Problem) -> str:
    return "".join(f"{said(part)}\n" for part in (problem.happened, problem.why, problem.todo) if part)


def number(header: str) -> int:
    """A count of bytes; BadRequest when there is none. Of two headers gunicorn makes one with a comma."""
    value = request.headers.get(header, "")
    if not NUMBER.fullmatch(value):
        raise BadRequest(f"{header} is not one number of bytes.")
    return int(value)


def sent_checksum() -> tuple[str, bytes] | None:
    """The name of its algorithm, and the digest; BadRequest when it makes no sense."""
    if "Upload-Checksum" not in request.headers:
        return None
    name, _, encoded = request.headers["Upload-Checksum"].partition(" ")
    try:
        digest = b64decode(encoded, validate=True)
    except (NotBase64, ValueError):
        digest = b""
    if name not in ALGORITHMS or not digest:
        raise BadRequest(f"Upload-Checksum is not {' or '.join(ALGORITHMS)}, a blank, and a digest in Base64.")
    return name, digest


def sent_metadata() -> dict[str, str]:
    """By its keys. What cannot be read counts as nothing: a file is not refused for its name."""
    pairs = (pair.strip().partition(" ") for pair in request.headers.get("Upload-Metadata", "").split(","))
    return {key: decoded(value) for key, _, value in pairs}


def decoded(value: str) -> str:
    try:
        return b64decode(value).decode(errors="replace")
    except (NotBase64, ValueError):
        return ""


def metadata_of(upload: Upload) -> str:
    pairs = {"filename": upload.filename, "mark": upload.mark}
    return ",".join(f"{key} {b64encode(value.encode()).decode()}" for key, value in pairs.items() if value)
