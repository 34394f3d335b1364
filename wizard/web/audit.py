"""The audit trail as a page, and as a file for a spreadsheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal, ngettext

from wizard.audit import lines
from wizard.domain.audit import Entry, Sought
from wizard.domain.audit_acts import ACTS, DETAILS, OUTCOMES, WAYS
from wizard.errors import Forbidden, InvalidInput
from wizard.ports import Services, Trail
from wizard.text import say
from wizard.web.htmx import wants_fragment
from wizard.web.who import person

A_PAGE = 50
FIELDS = ("who", "act", "outcome", "registration", "since", "until")
"""The names in the query string. The two days are UTC, and both are included."""


def blueprint(services: Services) -> Blueprint:
    pages = Blueprint("audit", __name__, url_prefix="/audit")
    archive = Archive(services.trail)
    pages.before_request(ensure_sees_all)
    pages.add_app_template_filter(format_decimal, "counted")
    pages.add_url_rule("", view_func=archive.index)
    pages.add_url_rule("/chain", view_func=archive.chain)
    pages.add_url_rule("/trail.csv", view_func=archive.export)
    return pages


def ensure_sees_all() -> None:
    """The trail tells of all registrations: it is for those who see them all."""
    if person().registration is not None or person().project is not None:
        raise Forbidden(
            say("The audit trail is not among what you were let in to see."), todo=say("Ask an admin for an account.")
        )


@dataclass(frozen=True)
class Shown:
    """One page of the trail."""

    entries: tuple[Entry, ...]
    older: int | None
    """The next page has the numbers below this one; None when there is no next page."""


class Archive:
    """Looks things up in the trail."""

    def __init__(self, trail: Trail) -> None:
        self.trail = trail

    def index(self) -> ResponseReturnValue:
        problem, status, sought, before = None, 200, Sought(), None
        try:
            sought, before = asked_for(request.args)
        except InvalidInput as error:
            problem, status = error.problem, error.status
        asked, count = given(request.args), self.trail.count(sought)
        page = rendered(
            "audit/index.html",
            "audit/_trail.html",
            announced=problem.happened if problem else found(count, self.trail.end().number if asked else None),
            problem=problem,
            shown=self.page(sought, before),
            count=count,
            asked=asked,
            before=before,
            people={name: name for name in self.trail.people()},
            acts=ACTS,
            outcomes=OUTCOMES,
            ways=WAYS,
            details=DETAILS,
        )
        return page, status

    def page(self, sought: Sought, before: int | None) -> Shown:
        found = tuple(self.trail.entries(sought, before, A_PAGE + 1))
        return Shown(found[:A_PAGE], found[A_PAGE - 1].number if len(found) > A_PAGE else None)

    def chain(self) -> ResponseReturnValue:
        chain = self.trail.chain()
        announced = say("The chain is whole.") if chain.is_whole else say("The chain is broken.")
        return rendered("audit/chain.html", "audit/_chain.html", chain=chain, announced=announced)

    def export(self) -> Response:
        sought, _ = asked_for(request.args)
        response = Response(lines(self.trail.entries(sought)), mimetype="text/csv")
        response.headers["Content-Disposition"] = "attachment; filename=audit-trail.csv"
        return response


def rendered(page: str, part: str, **context: object) -> str:
    """The whole page, or the part that htmx has asked for."""
    return render_template("audit/_fragment.html" if wants_fragment() else page, part=part, **context)


def found(count: int, of: int | None) -> str:
    """How many entries fit, of how many when there is a filter."""
    if of is None:
        return str(ngettext("%(count)s entry", "%(count)s entries", count, count=format_decimal(count)))
    counts = {"count": format_decimal(count), "all": format_decimal(of)}
    return str(ngettext("%(count)s entry of %(all)s fits", "%(count)s entries of %(all)s fit", count, **counts))


def given(args: Mapping[str, str]) -> dict[str, str]:
    """What of the query string is a filter, and says something."""
    return {name: value for name in FIELDS if (value := args.get(name, "").strip())}


def asked_for(args: Mapping[str, str]) -> tuple[Sought, int | None]:
    """The filter, and the number below which the page begins. InvalidInput when a day or the number is none."""
    asked = given(args)
    since, until = (day(asked.pop(name, ""), name) for name in ("since", "until"))
    before = args.get("before", "")
    if before and not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise InvalidInput(say("There is no such page of the audit trail."), todo=say("Go back to its newest entries."))
    sought = Sought(**asked, since=since, until=until and until + timedelta(days=1))
    return sought, int(before) if before else None


def day(text: str, field: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput(
            say("This is not a day: %(text)s", text=text[:40]), todo=say("Enter it as 2026-11-24."), field=field
        ) from None
