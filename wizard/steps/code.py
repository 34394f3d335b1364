"""Enter the six digits that the phone shows (R6)."""

from collections.abc import Mapping

from wizard.domain.deployment import Judgement, Verdict
from wizard.domain.registration import Registration
from wizard.errors import InvalidInput, Problem
from wizard.flow import Step, Submission, observe
from wizard.ports import Services
from wizard.text import Text, say

DIGITS = 6


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    if registration.is_guided:
        return registration.verified_by_hand(submission.now)
    code = "".join(submission.fields.get("code", "").split())
    if not (code.isascii() and code.isdecimal() and len(code) == DIGITS):
        raise InvalidInput(
            say("The code was not understood."),
            why=say("It is six digits; this was no try, and nothing was counted."),
            todo=say("Enter the six digits that the phone shows."),
            field="code",
        )
    if registration.challenge is None:
        raise InvalidInput(say("There is no QR code to answer."), todo=say("Show the QR code first, then scan it."))
    verdict = services.license_servers.submit(registration.endpoint, registration.challenge.id, code, submission.now)
    if verdict.judgement is not Judgement.ACCEPTED:
        services.store.observe(registration.id, verdict.status)
        raise refusal(verdict)
    return registration.observed(verdict.status, submission.now)


def refusal(verdict: Verdict) -> InvalidInput:
    """What is said of a code that was not accepted; expired and superseded are told apart from wrong."""
    problem = REFUSALS.get(verdict.judgement) or wrong(verdict.status.tries_left)
    return InvalidInput(problem.happened, why=problem.why, todo=problem.todo, field="code")


def wrong(tries_left: int) -> Problem:
    return Problem(
        happened=say("The code is wrong."),
        why=say("One more wrong code locks the entry for 15 minutes.")
        if tries_left == 1
        else say("%(left)s tries are left before the entry is locked for 15 minutes.", left=tries_left),
        todo=say("Compare it with the phone: the code must come from the QR code of this page."),
    )


SCAN_AGAIN = say("Show a new QR code, scan it, and enter the code that belongs to it.")
REFUSALS = {
    Judgement.LOCKED: Problem(
        happened=say("The entry is locked."),
        why=say("Six wrong codes were entered. Until the time is over, no code is looked at, not even a right one."),
        todo=say("Wait until the time below is over, then show a new QR code."),
    ),
    Judgement.EXPIRED: Problem(
        happened=say("The QR code has expired."),
        why=say("It is valid for five minutes. The code was not counted as a wrong one."),
        todo=SCAN_AGAIN,
    ),
    Judgement.SUPERSEDED: Problem(
        happened=say("This code belongs to an older QR code."),
        why=say("A newer one was shown since, here or elsewhere. The code was not counted as a wrong one."),
        todo=SCAN_AGAIN,
    ),
    Judgement.CONSUMED: Problem(
        happened=say("This code was used already."), why=say("A code works once."), todo=SCAN_AGAIN
    ),
    Judgement.MALFORMED: Problem(
        happened=say("The authorization application did not understand the code."),
        why=say("It is six digits; nothing was counted."),
        todo=say("Enter the six digits that the phone shows."),
    ),
}


def take_back(registration: Registration, submission: Submission, services: Services) -> Registration:
    return registration.taken_back("verified_at")


def context(registration: Registration, services: Services) -> Mapping[str, object]:
    now = services.clock()
    return {"standing": registration.standing(now), "locked_until": registration.locked_until(now)}


def chosen(registration: Registration) -> str | Text:
    return say("Verified")


STEP = Step(
    slug="code",
    title=say("Enter the code"),
    name=say("Code"),
    holds="verified_at",
    is_done=lambda registration: registration.verified_at is not None,
    submit=submit,
    actions={"back": take_back},
    context=context,
    chosen=chosen,
    watch=observe,
)
