"""What the activation page says, sentence by sentence."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask_babel import lazy_gettext as _

from wizard.licensing.protocol.qr import Reason
from wizard.licensing.protocol.words import fingerprint_words
from wizard.licensing.vendor.office import Case
from wizard.licensing.vendor.rules import CHALLENGES_A_DAY, VALIDITY, Refusal, valid_until


@dataclass(frozen=True)
class Notice:
    """A page that has nothing to decide: what happened, why, and what to do next. `status` is what HTTP calls it."""

    status: int
    title: str
    why: str
    todo: str


@dataclass(frozen=True)
class Reading:
    """How long a QR code is still good for, as far as this page's clock can tell. The instance's own clock decides."""

    until: datetime
    left: timedelta

    @property
    def is_running(self) -> bool:
        return timedelta(0) < self.left <= VALIDITY + timedelta(minutes=1)

    @property
    def is_over(self) -> bool:
        return self.left <= timedelta(0)

    @property
    def seconds(self) -> int:
        return int(self.left.total_seconds())

    @property
    def minutes(self) -> int:
        """Rounded up, so that the last minute counts as one."""
        return -(-self.seconds // 60)


REASONS = {
    Reason.FIRST: (_("First activation"), _("The authorization application was newly deployed.")),
    Reason.REAUTHENTICATION: (
        _("Re-authentication"),
        _("The authorization application was stopped for more than 24 hours, or its records were damaged."),
    ),
    Reason.PROJECT_MIGRATION: (_("Project migration"), _("The licence moves on to another project.")),
    Reason.COMPONENT_MIGRATION: (_("Component migration"), _("The authorization application was deployed anew.")),
}

REFUSALS = {
    Refusal.MALFORMED: Notice(
        400,
        _("This address is incomplete"),
        _("After /L/ there should be the 140 characters of a QR code. Some are missing, or were changed."),
        _("Scan the QR code with the camera of the phone. Typing or forwarding the address tends to break it."),
    ),
    Refusal.FORGED: Notice(
        403,
        _("This QR code is not genuine"),
        _("Its seal does not belong to its contents, so it was changed on the way or made by something else."),
        _("Refresh the QR code on the page that shows it, and scan the new one. If that is refused as well, deploy the "
          "image file anew, exactly as it came from the vendor."),
    ),
    Refusal.UNKNOWN: Notice(
        404,
        _("This licence is not known here"),
        _("The QR code names a licence that was not issued by this vendor, or is not in its records."),
        _("Check where the image file came from, and ask your contact at the vendor for the current one."),
    ),
    Refusal.INACTIVE: Notice(
        410,
        _("This licence is no longer active"),
        _("A newer licence has taken over from it."),
        _("Deploy the image file that the vendor sent last, and scan the QR code that it shows."),
    ),
    Refusal.DESTROYED: Notice(
        410,
        _("This licence was destroyed"),
        _("The vendor has ended it for good. It gives no codes any more."),
        _("Deploy the image file that the vendor sent in its place, and scan the QR code that it shows. If nobody "
          "asked for that, tell the vendor."),
    ),
    Refusal.OTHER_INSTANCE: Notice(
        409,
        _("This licence belongs to another installation"),
        _("Its first code went to another installation. A container started on a new volume is a new installation, "
          "even on the same server."),
        _("Start the first installation again with its own volume. If that is lost, ask the vendor to destroy it and "
          "to issue a new image file."),
    ),
    Refusal.OTHER_LICENCE: Notice(
        409,
        _("This installation belongs to another licence"),
        _("It has had a code under a licence that this one does not take over from."),
        _("Deploy this image file on a volume of its own, or ask the vendor for one that takes over the old licence."),
    ),
    Refusal.OUTDATED: Notice(
        410,
        _("This QR code is outdated"),
        _("A newer one from the same installation has been answered already."),
        _("Scan the QR code that is on the screen now. If it is this one, refresh it there first."),
    ),
    Refusal.CLONED: Notice(
        409,
        _("There seem to be two copies of this installation"),
        _("Another QR code with the same number has been answered. That happens when a volume was copied, or put back "
          "from a snapshot. No code is issued, and the vendor has been alerted."),
        _("Stop every copy but one. Refresh the QR code there, and scan it. If you know of no copy, tell the vendor."),
    ),
    Refusal.ROLLED_BACK: Notice(
        409,
        _("This installation was put back to an earlier state"),
        _("QR codes that it made before this one carry higher numbers. That happens when its volume is restored from a "
          "backup or a snapshot. No code is issued, and the vendor has been alerted."),
        _("If it was restored on purpose, refresh the QR code and scan it, again and again, until one is answered. If "
          "nobody restored anything, tell the vendor."),
    ),
    Refusal.TOO_MANY: Notice(
        429,
        _("Too many QR codes in one day"),
        _("%(limit)s QR codes of this licence were answered within 24 hours: the limit.", limit=CHALLENGES_A_DAY),
        _("Wait, or ask the vendor to unlock the licence. Then refresh the QR code, and scan it."),
    ),
}  # fmt: skip

MISPLACED = Notice(
    400,
    _("The decision did not arrive"),
    _("The form was not sent from this page, or not as a whole. Nothing was decided."),
    _("Scan the QR code again, and choose one of the two buttons."),
)

NOT_FOUND = Notice(
    404,
    _("There is nothing at this address"),
    _("This site answers the QR codes of authorization applications."),
    _("Scan the QR code that your authorization application shows, with the camera of the phone."),
)

NOT_ANSWERED = Notice(
    400,
    _("This request cannot be answered"),
    _("It is not one that the activation page itself would send."),
    _("Scan the QR code again."),
)

FAILED = Notice(
    500,
    _("Something failed on our side"),
    _("Nothing was decided by this request, or it is kept as it was decided."),
    _("Scan the same QR code again in a minute. If it still fails, tell the vendor at what time you tried."),
)

NO_IMAGE = Notice(
    503,
    _("The demonstration image cannot be made here"),
    _("It is put together from the Python that runs this page, and that lacks something."),
    _("Use an image file that was made on another machine."),
)


def about(case: Case, now: datetime) -> dict[str, object]:
    """What the templates need to know of a case."""
    reason, explanation = REASONS[case.body.reason]
    until = valid_until(case.body.minute)
    return {
        "claims": case.licence.claims,
        "reason": reason,
        "explanation": explanation,
        "words": fingerprint_words(case.body.instance_key),
        "reading": Reading(until, until - now.astimezone(UTC)),
        "code": case.code,
        "answer": case.answer,
    }
