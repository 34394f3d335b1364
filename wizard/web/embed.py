"""The surface of other applications: they send somebody here with a launch token, into a frame of theirs."""

from uuid import uuid4

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from wizard.domain.launch import Launch
from wizard.domain.registration import Registration
from wizard.errors import InvalidInput
from wizard.flow import Flow
from wizard.ports import Launches, Services
from wizard.web import launch_token
from wizard.web.frames import Frames
from wizard.web.launch_token import Refused
from wizard.web.wizard import Desk

PUBLIC = frozenset({"embed.launch", "embed.unopened"})
"""The endpoints that need nobody to be let in: a launch token is looked at there."""
OWN = frozenset({"embed.renew"})
"""Those that concern nobody but whoever is in the frame (who.Guard)."""


def blueprint(flow: Flow, services: Services, framing: Frames, launches: Launches) -> Blueprint:
    pages = Blueprint("embed", __name__)
    desk = Frontdesk(flow, services, framing, launches)
    for method, rule, view in (
        ("GET", "/embed", desk.unopened),
        ("POST", "/embed", desk.launch),
        ("POST", "/embed/renew", desk.renew),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=[method])
    pages.register_error_handler(Refused, refused)
    return pages


class Frontdesk:
    """Where those arrive whom another application sends."""

    def __init__(self, flow: Flow, services: Services, framing: Frames, launches: Launches) -> None:
        self.services, self.framing, self.launches = services, framing, launches
        self.desk = Desk(flow, services)

    def launch(self) -> ResponseReturnValue:
        """The wizard at the registration of the project. It is the answer itself: without a cookie a frame cannot be
        sent on to another page.
        """
        launch = self.proven(request.form.get("token", ""))
        self.framing.begin(launch)
        registration = self.registration(launch)
        if registration is None:
            return render_template("embed/nothing.html")
        return self.desk.page(registration, self.desk.flow.current(registration))

    def proven(self, token: str) -> Launch:
        """What the token says, used up by this. Refused when it is not good, or was used before."""
        now = self.services.clock()
        launch = launch_token.read(token, self.framing.issuers, now)
        if request.headers.get("Origin", launch.origin) not in (launch.origin, "null"):
            raise Refused("elsewhere")
        try:
            self.services.inventory.project(launch.project)
        except InvalidInput:
            raise Refused("project") from None
        if not self.launches.use(launch.issuer, launch.jti, now, launch.expires_at):
            raise Refused("replayed")
        return launch

    def registration(self, launch: Launch) -> Registration | None:
        """The newest one of the project that is not finished, or a new one. An observer begins none, and is shown the
        newest of all; None when there is none.
        """
        seen = [it for it in self.services.store.registrations() if launch.person.sees(it)]
        unfinished = [it for it in seen if it.registered_at is None]
        if unfinished:
            return unfinished[0]
        if not launch.person.may_change:
            return seen[0] if seen else None
        begun = Registration(id=uuid4().hex[:12], created_at=self.services.clock(), for_project=launch.project)
        return self.services.store.save(begun)

    def renew(self) -> Response:
        """Nothing but a fresh bearer, which every answer carries."""
        return Response(status=204)

    def unopened(self) -> ResponseReturnValue:
        """Somebody came here by hand, or loads the frame again."""
        return refused(Refused("missing"))


def refused(error: Refused) -> ResponseReturnValue:
    """In the frame, and only there, with no way on: nothing is known of who asks."""
    return render_template("embed/refused.html", problem=error.problem, layout="layouts/base.html", in_frame=True), 403
