"""What a visitor sees around the wizard: the stage, the phone that rests, the time machine, and the sample image."""

from collections.abc import Mapping
from pathlib import Path

from flask import Blueprint, Response, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from wizard.errors import Problem, WizardError
from wizard.kiosk.bounds import Patience
from wizard.kiosk.chart import WIDTH
from wizard.kiosk.machine import LEAPS, TimeMachine
from wizard.ports import Services
from wizard.text import Text, say
from wizard.web.htmx import wants_fragment
from wizard.web.security import POLICY

FRAMING = POLICY | {"frame-src": "'self'"}
"""The stage alone holds frames: the wizard, and the phone."""
SAMPLE = "fanruan_license_server.tar"

SERVER_STATES: Mapping[str, Text] = {
    "STOPPED": say("stopped"),
    "UNAUTHENTICATED": say("not authenticated"),
    "VERIFIED": say("verified"),
    "ACTIVE": say("at work"),
    "WINDOW": say("waits for its project"),
    "REAUTHENTICATE": say("to be scanned again"),
    "RETIRED": say("retired"),
}
PROJECT_STATES: Mapping[str, Text] = {
    "UNREGISTERED": say("not registered"),
    "CONNECTED": say("registered"),
    "DISCONNECTED": say("registered, without an answer"),
    "LAPSED": say("blocked"),
    "FAILED": say("failed"),
    "RELEASED": say("given up"),
}
"""In words that a visitor knows."""


def blueprint(services: Services, machine: TimeMachine, sample: Path, patience: Patience) -> Blueprint:
    """`id` is that of the one registration of this world: whoever was let in sees no other (who.Guard)."""
    pages = Blueprint("kiosk", __name__, url_prefix="/kiosk/<id>")
    here = Stage(services, machine, sample, patience)
    for method, rule, view in (
        ("GET", "/", here.stage),
        ("GET", "/phone", here.phone),
        ("GET", "/machine", here.look),
        ("POST", "/machine/<act>", here.do),
        ("POST", "/sample", here.take_sample),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=[method])
    return pages


class Stage:
    """The views of one world."""

    def __init__(self, services: Services, machine: TimeMachine, sample: Path, patience: Patience) -> None:
        self.services, self.machine, self.sample, self.patience = services, machine, sample, patience

    def stage(self, id: str) -> ResponseReturnValue:
        self.machine.watch()
        response = make_response(render_template("kiosk/stage.html", id=id, patience=self.patience, **self.shown()))
        policy = "; ".join(f"{directive} {source}" for directive, source in FRAMING.items())
        response.headers["Content-Security-Policy"] = policy
        return response

    def phone(self, id: str) -> str:
        return render_template("kiosk/phone.html", id=id)

    def look(self, id: str) -> ResponseReturnValue:
        self.machine.watch()
        return self.panel(id)

    def do(self, id: str, act: str) -> ResponseReturnValue:
        problem = None
        try:
            self.machine.do(act)
        except WizardError as error:
            problem = error.problem
        return self.panel(id, problem) if wants_fragment() else redirect(url_for(".stage", id=id), 303)

    def take_sample(self, id: str) -> ResponseReturnValue:
        """The image that is at hand, as if the visitor had uploaded it."""
        registration = self.services.store.registration(id)
        if registration.image is None:
            with self.sample.open("rb") as file:
                image = self.services.spool.receive(file, self.sample.stat().st_size, SAMPLE)
            self.services.store.save(registration.use_image(image))
        return redirect(url_for("wizard.resume", id=id), 303)

    def panel(self, id: str, problem: Problem | None = None) -> Response:
        return make_response(render_template("kiosk/_machine.html", id=id, problem=problem, **self.shown()))

    def shown(self) -> Mapping[str, object]:
        """What the time machine has to show."""
        server, project, ticks = self.machine.chart.lanes()
        return {
            "machine": self.machine,
            "leaps": LEAPS,
            "ready": self.machine.is_ready(),
            "look": self.machine.now_look,
            "history": self.machine.history[::-1],
            "server_states": SERVER_STATES,
            "project_states": PROJECT_STATES,
            "server_bars": server,
            "project_bars": project,
            "ticks": ticks,
            "chart_width": WIDTH,
        }
