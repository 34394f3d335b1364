"""Errors as pages: what happened, why, and what to do next, with the status that HTTP has for it."""

import logging

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from wizard.errors import Problem, WizardError
from wizard.text import say
from wizard.web.htmx import wants_fragment
from wizard.web.security import LARGEST_BODY, TAKE_FILES

log = logging.getLogger(__name__)

UNEXPECTED = Problem(
    happened=say("Something went wrong in the wizard."),
    why=say("This was not foreseen; it is in the log with the time of day. Nothing that you entered before is lost."),
    todo=say("Load the page again. If it stays, look at the log of the web process."),
)
HTTP_PROBLEMS = {
    404: Problem(happened=say("There is no such page."), todo=say("Go back to the start.")),
    405: Problem(happened=say("This address cannot be used like that."), todo=say("Go back to the start.")),
    413: Problem(
        happened=say("What was sent is too large."),
        why=say("An image file of more than 4 GB is never a licence image."),
        todo=say("Choose the file fanruan_license_server.tar that the vendor mailed."),
    ),
}
LARGE_FORM = Problem(
    happened=say("What was sent is larger than a form can be."),
    why=say("No form here has more than 2 MB, but for the one that takes an image. Nothing was changed."),
    todo=say("Go back, and enter less."),
)
STALE_FORM = Problem(
    happened=say("This page was opened in another session."),
    why=say("You have signed in again since, or the cookies of this site were removed. Nothing was changed."),
    todo=say("Load the page again, then repeat what you did."),
)


def handle(app: Flask) -> None:
    @app.errorhandler(WizardError)
    def refused(error: WizardError) -> ResponseReturnValue:
        return shown(error.problem, error.status)

    @app.errorhandler(CSRFError)
    def stale_form(error: CSRFError) -> ResponseReturnValue:
        return shown(STALE_FORM, 400)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> ResponseReturnValue:
        status = error.code or 500
        if status == 413 and not is_larger_than_an_image():
            return shown(LARGE_FORM, status)
        return shown(HTTP_PROBLEMS.get(status, Problem(happened=say("The request was not understood."))), status)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> ResponseReturnValue:
        log.error("unexpected error", exc_info=error)
        return shown(UNEXPECTED, 500)


def is_larger_than_an_image() -> bool:
    """Whether it is a file that was too large: the fields alone of any form may be, of each step's as well."""
    return request.endpoint in TAKE_FILES and (request.content_length or 0) > LARGEST_BODY


def shown(problem: Problem, status: int) -> ResponseReturnValue:
    """The problem as a page of its own, also in place of a step that htmx asked for."""
    layout = "layouts/bare.html" if wants_fragment() else "layouts/base.html"
    return render_template("error.html", problem=problem, layout=layout), status
