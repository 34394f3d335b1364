"""The wizard's surface: one registration, one step at a time. It knows no step by name."""

import os
from collections.abc import Callable
from typing import BinaryIO, cast
from uuid import uuid4

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from wizard.domain.operation import Operation
from wizard.domain.registration import Registration
from wizard.errors import InvalidInput, Problem, Stale, UnknownStep, WizardError
from wizard.flow import Flow, Step, Submission, Submit, Upload
from wizard.ports import Services
from wizard.text import say
from wizard.web.htmx import shown_path, wants_fragment
from wizard.web.presence import Seat, Seats, Watch
from wizard.web.who import person

TOO_LATE = Problem(
    happened=say("It had ended before the abort arrived."),
    why=say("Nothing was undone."),
    todo=say("This is how it stands now. To take it back, change one of the steps before."),
)


def blueprint(flow: Flow, services: Services) -> Blueprint:
    pages = Blueprint("wizard", __name__)
    desk = Desk(flow, services)
    for method, rule, view in (
        ("GET", "/", desk.home),
        ("POST", "/registrations", desk.create),
        ("GET", "/registrations/<id>", desk.resume),
        ("POST", "/registrations/<id>/abort", desk.abort),
        ("GET", "/registrations/<id>/abort", desk.came_back),
        ("GET", "/registrations/<id>/<slug>", desk.show),
        ("POST", "/registrations/<id>/<slug>", desk.submit),
        ("POST", "/registrations/<id>/<slug>/take-over", desk.take_over),
        ("POST", "/registrations/<id>/<slug>/<action>", desk.act),
        ("GET", "/registrations/<id>/<slug>/<action>", desk.came_back),
    ):
        pages.add_url_rule(rule, view.__name__, view, methods=[method])
    return pages


class Desk:
    """Loads, acts, saves, shows: what every view of a registration does."""

    def __init__(self, flow: Flow, services: Services) -> None:
        self.flow, self.services, self.store = flow, services, services.store
        self.seats = Seats(services.turns, services.clock)

    def registration(self, id: str) -> Registration:
        """The one of that id; for whoever does not see it there is none."""
        registration = self.store.registration(id)
        if not person().sees(registration):
            raise UnknownStep(say("There is no such registration."), todo=say("Go back to the start."))
        return registration

    def home(self) -> ResponseReturnValue:
        seen = [registration for registration in self.store.registrations() if person().sees(registration)]
        return render_template("home.html", registrations=seen, flow=self.flow)

    def create(self) -> ResponseReturnValue:
        begun = Registration(id=uuid4().hex[:12], created_at=self.services.clock(), for_project=person().project or "")
        return redirect(url_for(".resume", id=self.store.save(begun).id), 303)

    def resume(self, id: str) -> ResponseReturnValue:
        return self.address(self.flow.current(self.registration(id)), id)

    def came_back(self, id: str, slug: str = "", action: str = "") -> ResponseReturnValue:
        """Someone loads again the address to which a button has sent its form."""
        registration = self.registration(id)
        current = self.flow.current(registration)
        return self.address(self.flow.open(slug or current.slug, registration), id)

    def show(self, id: str, slug: str) -> ResponseReturnValue:
        if "since" in request.args or "seat" in request.args:
            return self.poll(id, slug)
        registration = self.registration(id)
        step = self.flow.open(slug, registration)
        return self.page(registration, step) if step.slug == slug else self.address(step, id)

    def submit(self, id: str, slug: str) -> ResponseReturnValue:
        return self.answer(id, slug, lambda step: step.submit)

    def act(self, id: str, slug: str, action: str) -> ResponseReturnValue:
        return self.answer(id, slug, lambda step: step.action(action))

    def take_over(self, id: str, slug: str) -> ResponseReturnValue:
        """The work goes on here; what was entered before somebody else came comes along."""
        registration = self.registration(id)
        self.seats.take_over(registration.id)
        step = self.flow.open(slug, registration)
        return self.page(registration, step, submission=received(self.services))

    def abort(self, id: str) -> ResponseReturnValue:
        operation = self.store.last_operation(id)
        registration = self.registration(id)
        if operation is None:
            return self.moved(registration, self.flow.current(registration))
        step = self.flow.open(operation.kind, registration)
        try:
            self.seats.ensure_theirs(id)
        except Stale as error:
            return self.page(registration, step, problem=error.problem, status=error.status)
        if not operation.is_active:
            return self.page(registration, step, problem=TOO_LATE, status=409)
        self.services.jobs.abort(operation)
        return self.moved(registration, step)

    def answer(self, id: str, slug: str, chosen: Callable[[Step], Submit]) -> Response:
        """What was sent changes the registration, or is refused and changes nothing; either way all is rendered."""
        registration = self.registration(id)
        step = self.flow.open(slug, registration)
        submission = received(self.services)
        try:
            if step.slug == slug:
                registration = self.submitted(registration, step, chosen(step), submission)
        except WizardError as error:
            return self.page(
                self.registration(id), step, problem=error.problem, submission=submission, status=error.status
            )
        return self.moved(registration, step)

    def submitted(self, registration: Registration, step: Step, submit: Submit, submission: Submission) -> Registration:
        self.seats.ensure_theirs(registration.id)
        operation = self.store.last_operation(registration.id)
        if operation is not None and operation.is_active:
            return self.under_way(registration, step, operation)
        ensure_fresh(registration, submission)
        changed = submit(registration, submission, self.services)
        if changed != registration:
            changed = self.store.save(changed)
        if step.work and not step.is_done(changed):
            self.services.jobs.start(changed, step.slug, submission.now, submission.by)
        return changed

    def under_way(self, registration: Registration, step: Step, operation: Operation) -> Registration:
        """The second click on the same button finds the work of the first; anything else has to wait for it."""
        if operation.kind == step.slug:
            return registration
        title = self.flow.step(operation.kind).name
        raise InvalidInput(
            say("Nothing was changed: the step %(step)s is still at work.", step=title),
            todo=say("Wait until it has finished, or abort it there."),
        )

    def poll(self, id: str, slug: str) -> Response:
        """What has changed since the page was made; 204 when nothing has. Reads two rows in that case."""
        if person().project is not None:
            self.registration(id)  # before anything is noted of somebody who does not see it
        seen = request.args
        moved = "seat" in seen and self.seats.come(id).word != seen["seat"]
        if not moved and ("since" not in seen or self.store.revision(id) == seen["since"]):
            return Response(status=204)
        registration = self.registration(id)
        step = self.flow.open(slug, registration)
        if "follow" in seen:
            step = self.followed(step, registration)
        elif "since" in seen and step.is_done(registration) and not step.lingers:
            step = self.flow.current(registration)
        return self.page(registration, step, keeps=step.slug == slug)

    def followed(self, step: Step, registration: Registration) -> Step:
        """Where somebody reads on who has read this step: with whoever is at work, who may still be looking at it."""
        current = self.flow.current(registration)
        lingers = step.lingers and self.flow.after(step) is current and getattr(registration, current.holds) is None
        return step if lingers else current

    def seat(self, registration: Registration) -> Seat:
        """What is finished for good needs nobody at work."""
        if registration.registered_at is not None and not registration.is_guided:
            return Seat(may_change=person().may_change)
        return self.seats.come(registration.id)

    def moved(self, registration: Registration, step: Step) -> Response:
        """Show what comes after: the step itself while it is unfinished, else the first one that is."""
        if step.is_done(registration):
            step = self.flow.current(registration)
        if wants_fragment():
            return self.page(registration, step)
        return self.address(step, registration.id)

    def address(self, step: Step, id: str) -> Response:
        return make_response(redirect(url_for("wizard.show", id=id, slug=step.slug), 303))

    def page(
        self,
        registration: Registration,
        step: Step,
        *,
        problem: Problem | None = None,
        submission: Submission | None = None,
        status: int = 200,
        keeps: bool = False,
    ) -> Response:
        """The step as it stands. It `keeps` a form that somebody may have begun to fill in before another took over."""
        revision = self.store.revision(registration.id)
        operation = self.store.last_operation(registration.id, step.slug)
        overtaken = self.store.registration(registration.id) != registration  # asked last: work that ends changes it
        if overtaken:
            revision = ""  # the next poll must not take what is there now for this page
        if operation is not None and operation.version != registration.version:
            operation = None
        seat = self.seat(registration)
        held = not seat.is_theirs and (submission is not None or (keeps and seat.was_theirs))
        watch = Watch(
            seat=seat,
            revision=revision,
            seconds=1 if overtaken else poll_seconds(step, registration, operation),
            follows=not held and self.followed(step, registration) is step,
        )
        response = make_response(
            render_template(
                f"steps/{step.slug}.html",
                layout="layouts/fragment.html" if wants_fragment() else "layouts/page.html",
                flow=self.flow,
                step=step,
                current=self.flow.current(registration),
                registration=registration,
                operation=operation,
                problem=problem or (operation and operation.problem),
                reading=not (seat.is_theirs or held),
                held=held,
                seat=seat,
                watch=None if held and submission else watch,
                fields=submission.fields if submission else {},
                given_up=self.flow.given_up_by(step, registration),
                now=self.services.clock(),
                **step.context(registration, self.services),
            ),
            status,
        )
        address = url_for("wizard.show", id=registration.id, slug=step.slug)
        if wants_fragment() and shown_path() != address:
            response.headers["HX-Push-Url"] = address
        return response


def poll_seconds(step: Step, registration: Registration, operation: Operation | None) -> int | None:
    """How often the page asks whether anything has changed; None when nothing can."""
    if operation is not None and operation.is_active:
        return 1
    return 2 if step.is_live or (step.watch is not None and registration.deployment is not None) else None


def ensure_fresh(registration: Registration, submission: Submission) -> None:
    """A page that is older than the registration must not overwrite what was done since."""
    if submission.fields.get("version") != str(registration.version):
        raise Stale(
            say("This page was older than the registration."),
            why=say("It was changed meanwhile, in another tab or by another person. Nothing was overwritten."),
            todo=say("This is how it stands now. Look at it, then go on."),
        )


def received(services: Services) -> Submission:
    """What came with the request."""
    fields = request.args.to_dict() | request.form.to_dict()
    return Submission(fields=fields, now=services.clock(), by=person().name, file=received_file())


def received_file() -> Upload | None:
    """The file of a form; all of it is here by now."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return None
    size = file.stream.seek(0, os.SEEK_END)
    file.stream.seek(0)
    return Upload(stream=cast(BinaryIO, file.stream), filename=file.filename, size=size)
