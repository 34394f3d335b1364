"""A registration: what has been chosen and done on the way from an image to a registered project.

Nothing here stores which step it is at. That follows from what is done (flow.py), so a reload, another browser and next
week all see the same. Each verb returns a new Registration, and gives up what depended on what it changed.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from wizard.domain.deployment import Challenge, Deployment, Endpoint, ServerStatus
from wizard.domain.image import Image
from wizard.domain.inspection import Inspection
from wizard.domain.preflight import Check, Outcome, Preflight
from wizard.domain.project import Node, Project
from wizard.errors import InvalidInput
from wizard.text import Text, say

DEPENDENTS = {
    "image": ("preflight", "deployment"),
    "node": ("port", "deployment"),
    "port": ("preflight", "deployment"),
    "preflight": (),
    "deployment": ("challenge", "verified_at", "server"),
    "challenge": (),
    "verified_at": (),
    "registered_at": (),
    "server": (),
}
"""What is given up when one of these changes."""


class Standing(StrEnum):
    """How it stands with a QR code."""

    NONE = "none"
    OPEN = "open"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


LOWEST_PORT, HIGHEST_PORT = 1024, 65535

OBJECTIONS = {
    Outcome.FAILED: say("%(check)s: as long as this is so, nothing is deployed."),
    Outcome.DOUBTFUL: say("%(check)s: this is doubtful, and was not accepted with its box below."),
}


class Objection(InvalidInput):
    """A check is in the way. What was found out is in `registration`: it is no less true for the refusal."""

    def __init__(self, registration: "Registration", check: Check) -> None:
        super().__init__(
            replace(OBJECTIONS[check.outcome], params={"check": check.name}),
            why=say("%(words)s", words=check.detail),
            todo=check.todo or say("Mend it on the node, then check again."),
        )
        self.registration = registration


@dataclass(frozen=True, kw_only=True)
class Registration:
    """One project's way to its licence. `version` rises with each save, and tells a stale page from a fresh one."""

    id: str
    created_at: datetime
    version: int = 0
    image: Image | None = None
    image_accepted: bool = False
    """Whether the admin has seen what is in the image, and wants it."""
    project: Project | None = None
    node: Node | None = None
    port: int | None = None
    preflight: Preflight | None = None
    """What was found out about the node and that port, before anything is deployed."""
    accepted: tuple[str, ...] = ()
    """The doubtful checks, by their slugs, in spite of which the admin deploys."""
    deployment: Deployment | None = None
    challenge: Challenge | None = None
    verified_at: datetime | None = None
    registered_at: datetime | None = None
    """When the first request of the project was seen."""
    server: ServerStatus | None = None
    """What the authorization application last said of itself."""
    discarded: tuple[Deployment, ...] = ()
    """Deployments given up, still to be removed from their nodes. Their volumes stay."""
    notice: Text | None = None
    """What happened behind the visitor's back, to be said once on the next page."""
    for_project: str = ""
    """The slug of the only project that it can be for; nothing while any can be chosen."""

    @property
    def concerns(self) -> frozenset[str]:
        """The slugs of the projects that it is for."""
        chosen = {self.project.slug} if self.project else set()
        return frozenset(chosen | ({self.for_project} if self.for_project else set()))

    @property
    def endpoint(self) -> Endpoint:
        """Where the authorization application answers; InvalidInput while there is none."""
        if self.deployment is None:
            raise InvalidInput(
                say("The authorization application does not run yet."), todo=say("Deploy it first, then go on here.")
            )
        return self.deployment.endpoint

    def loses(self, what: str) -> tuple[str, ...]:
        """The names of the things that changing `what` would give up, as far as there are any."""
        lost: list[str] = []
        for dependent in DEPENDENTS[what]:
            if getattr(self, dependent) is not None:
                lost += [dependent, *self.loses(dependent)]
        return tuple(dict.fromkeys(lost))

    def use_image(self, image: Image) -> "Registration":
        if self.image and self.image.digest == image.digest:
            return self
        return replace(self._giving_up("image"), image=image, image_accepted=False)

    def accept_image(self) -> "Registration":
        if self.image is None:
            raise InvalidInput(say("There is no image yet."), todo=say("Choose the file that the vendor mailed."))
        return replace(self, image_accepted=True)

    def place(self, project: Project, node_slug: str) -> "Registration":
        """Choose the node of the project that will run the authorization application (R3)."""
        if self.for_project not in ("", project.slug):
            raise InvalidInput(
                say("This registration is for another project than %(project)s.", project=project.name),
                todo=say("Choose a node of its own project, or start a new registration."),
            )
        node = project.host(node_slug)
        if (project.slug, node) == (self.project.slug if self.project else None, self.node):
            return self
        return replace(self._giving_up("node"), project=project, node=node)

    def use_port(self, port: int) -> "Registration":
        """Choose a port; whether it is free on the node is found out next (R4)."""
        if not LOWEST_PORT <= port <= HIGHEST_PORT:
            raise InvalidInput(
                say("%(port)s is not a port that can be used.", port=port),
                why=say(
                    "A port is a number from %(lowest)s to %(highest)s; the ones below belong to the system.",
                    lowest=LOWEST_PORT,
                    highest=HIGHEST_PORT,
                ),
                todo=say("Enter another one, such as 18081."),
                field="port",
            )
        if port == self.port and self.deployment is not None:
            return self
        return replace(self._giving_up("port"), port=port, preflight=None, accepted=())

    def checked(self, preflight: Preflight) -> "Registration":
        """What was found out now; what was accepted has to be looked at again. Without a new plan the old one stays."""
        plan = preflight.plan if self.preflight is None or preflight.plan.manual else self.preflight.plan
        return replace(self, preflight=replace(preflight, plan=plan), accepted=())

    def accept(self, doubts: Collection[str]) -> "Registration":
        """Deploy in spite of these doubtful checks. Objection when one is left out, or when a check has failed."""
        for check in self.preflight.checks if self.preflight else ():
            if not check.is_no_obstacle(doubts):
                raise Objection(self, check)
        return replace(self, accepted=tuple(sorted(doubts)))

    def deployed(self, deployment: Deployment) -> "Registration":
        return replace(self, deployment=deployment)

    def ensure_unverified(self) -> None:
        """InvalidInput once a code was accepted: there is nothing to scan for."""
        if self.verified_at is not None:
            raise InvalidInput(
                say("The code was accepted already."),
                why=say("A new QR code would be of no use."),
                todo=say("Go on, and register the project."),
            )

    def challenged(self, challenge: Challenge) -> "Registration":
        """A new QR code; the older one is void (R6)."""
        self.ensure_unverified()
        return replace(self, challenge=challenge, notice=None)

    def scanned(self) -> "Registration":
        """The admin has the six digits, and goes on to enter them."""
        if self.challenge is None:
            raise InvalidInput(
                say("There is no QR code to scan yet."), todo=say("Show the QR code first, then scan it with a phone.")
            )
        return replace(self, challenge=replace(self.challenge, scanned=True))

    @property
    def is_guided(self) -> bool:
        """Whether the admin does by hand, and confirms, what follows the deployment."""
        return self.deployment is not None and self.deployment.is_guided

    def scanned_by_hand(self, now: datetime) -> "Registration":
        """The QR code was scanned on the authorization application's own page, and the phone has the digits."""
        self.ensure_unverified()
        page = self.endpoint.page
        return replace(self, challenge=Challenge(id="", url=page, created_at=now, expires_at=now, scanned=True))

    def verified_by_hand(self, now: datetime) -> "Registration":
        """The six digits were entered, and accepted, on the authorization application's own page."""
        return replace(self, verified_at=now)

    def registered_by_hand(self, now: datetime) -> "Registration":
        """The project itself says that it is registered."""
        return replace(self, registered_at=now)

    def taken_back(self, what: str) -> "Registration":
        """What was confirmed by hand was not so."""
        if not self.is_guided:
            raise InvalidInput(
                say("This was not confirmed by hand."),
                why=say("The authorization application said it itself."),
                todo=say("Load the page again; it shows how it stands."),
            )
        later = {"challenge": self.verified_at, "verified_at": self.registered_at}.get(what)
        if later is not None:
            raise InvalidInput(
                say("What came after it was confirmed, too."),
                todo=say("Take back the later step first."),
            )
        return replace(self, **dict.fromkeys((what, *self.loses(what))))  # type: ignore[arg-type]

    def observed(self, status: ServerStatus, now: datetime) -> "Registration":
        """Take in what the authorization application says of itself, and what follows from it (R6, R7, R8)."""
        seen = replace(self, server=status.steadied_by(self.server))
        if self.registered_at is not None:
            return seen
        if status.first_request_at is not None:
            return replace(seen, verified_at=self.verified_at or now, registered_at=now, notice=None)
        if status.state.is_authenticated:
            return replace(seen, verified_at=self.verified_at or now)
        if self.verified_at is not None:
            return replace(seen, verified_at=None, challenge=None, notice=VERIFICATION_LOST)
        return seen

    def standing(self, now: datetime) -> Standing:
        """How it stands with the QR code (R6). A limit belongs to the allowed side (R14)."""
        if self.challenge is None:
            return Standing.NONE
        if now > self.challenge.expires_at:
            return Standing.EXPIRED
        newest = self.server.challenge if self.server and self.server.seen_at > self.challenge.created_at else None
        return Standing.SUPERSEDED if newest not in (None, self.challenge.id) else Standing.OPEN

    def locked_until(self, now: datetime) -> datetime | None:
        """When the entry of codes is free again; None while it is not locked."""
        until = self.server.locked_until if self.server else None
        return until if until and now < until else None

    def believes(self, seen: Inspection) -> bool:
        """Whether its container still is as it was seen: it is the same one, and has not answered since it was down."""
        if self.deployment is None or seen.name != self.deployment.name:
            return False
        heard_at = self.server.seen_at if self.server else self.deployment.deployed_at
        return seen.running or seen.seen_at > heard_at

    @property
    def is_being_served(self) -> bool:
        """Whether any node of a project is registered with the authorization application."""
        return self.server is not None and bool(self.server.live)

    @property
    def last_request_at(self) -> datetime | None:
        """When a project was last heard of."""
        slots = self.server.live if self.server else ()
        return max((slot.last_request_at for slot in slots if slot.last_request_at), default=None)

    def _giving_up(self, what: str) -> "Registration":
        if self.registered_at is not None:
            raise InvalidInput(
                say("This registration is finished, and stays as it is."),
                why=say("The project depends on the authorization application that was deployed by it."),
                todo=say("Start a new registration to deploy another one."),
            )
        gone = (self.deployment,) if self.deployment and "deployment" in self.loses(what) else ()
        return replace(
            self,
            discarded=self.discarded + gone,
            notice=None,
            **dict.fromkeys(self.loses(what)),  # type: ignore[arg-type]
        )


VERIFICATION_LOST = say(
    "The authorization application was restarted, or waited for more than 24 hours, before the project registered. "
    "The verification does not outlive that: scan again, enter the new code, and register at once."
)
"""R7."""
