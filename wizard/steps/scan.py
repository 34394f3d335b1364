"""Show the QR code that a phone takes across the air gap (R6)."""

from collections.abc import Mapping

from wizard.domain.registration import Registration
from wizard.flow import Step, Submission, observe
from wizard.licensing.protocol.words import fingerprint_words
from wizard.ports import Services
from wizard.text import Text, say


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    """The phone has shown its six digits."""
    return registration.scanned_by_hand(submission.now) if registration.is_guided else registration.scanned()


def refresh(registration: Registration, submission: Submission, services: Services) -> Registration:
    """Fetch a new QR code; the one before is void from now on."""
    registration.ensure_unverified()
    return registration.challenged(services.license_servers.challenge(registration.endpoint, submission.now))


def take_back(registration: Registration, submission: Submission, services: Services) -> Registration:
    return registration.taken_back("challenge")


def context(registration: Registration, services: Services) -> Mapping[str, object]:
    now = services.clock()
    return {
        "standing": registration.standing(now),
        "locked_until": registration.locked_until(now),
        "words": fingerprint_words(bytes.fromhex(registration.server.instance)) if registration.server else (),
    }


def chosen(registration: Registration) -> str | Text:
    return say("The phone has the code")


STEP = Step(
    slug="scan",
    title=say("Scan the QR code"),
    name=say("Scan"),
    holds="challenge",
    is_done=lambda registration: (
        registration.verified_at is not None or (registration.challenge is not None and registration.challenge.scanned)
    ),
    submit=submit,
    actions={"refresh": refresh, "back": take_back},
    context=context,
    chosen=chosen,
    lingers=True,
    watch=observe,
)
