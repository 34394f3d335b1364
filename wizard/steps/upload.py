"""Take in the licence image that the vendor mailed, and show what is in it before anything is done with it (R2)."""

from collections.abc import Mapping, Sequence

from wizard.domain.image import CONFIRM
from wizard.domain.registration import Registration
from wizard.domain.upload import Passport, Upload
from wizard.errors import InvalidInput
from wizard.flow import Step, Submission
from wizard.ports import Services
from wizard.text import Text, say

TYPED = 12
"""Digits of a SHA-256 that are typed to confirm it."""


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    if id := submission.fields.get("upload"):
        return registration.use_image(services.uploads.image(id, submission.by, submission.now))
    if submission.file is None:
        raise InvalidInput(
            say("No file was chosen."),
            todo=say("Choose the file fanruan_license_server.tar that the vendor mailed."),
            field="file",
        )
    upload = submission.file
    return registration.use_image(services.spool.receive(upload.stream, upload.size, upload.filename))


def accept(registration: Registration, submission: Submission, services: Services) -> Registration:
    """Of an image that nobody has signed, the admin compares the digest with the vendor's, and types its beginning."""
    image = registration.image
    if image is not None and image.policy == CONFIRM:
        typed = "".join(submission.fields.get("digest", "").split()).lower()
        if typed != image.received[:TYPED]:
            raise InvalidInput(
                say("These are not the first %(count)s digits of its SHA-256.", count=TYPED),
                why=say(
                    "Nobody has signed this image. Only its digest says whether it is the one that the vendor made."
                ),
                todo=say("Compare the SHA-256 with the vendor's, then type its first %(count)s digits.", count=TYPED),
                field="digest",
            )
    return registration.accept_image()


def discard(registration: Registration, submission: Submission, services: Services) -> Registration:
    """An upload that was begun is not wanted any more; the registration stays as it is."""
    services.uploads.remove(submission.fields.get("upload", ""), submission.by, submission.now)
    return registration


def context(registration: Registration, services: Services) -> Mapping[str, object]:
    """The uploads that have not ended, of whichever account looks at the page; and what is known before any byte."""

    def unfinished(account: str) -> Sequence[Upload]:
        return services.uploads.unfinished(account, services.clock())

    return {"unfinished": unfinished, "passport": Passport()}


def chosen(registration: Registration) -> str | Text:
    image = registration.image
    return image.name if image else ""


STEP = Step(
    slug="upload",
    title=say("Upload the licence image"),
    name=say("Image"),
    holds="image",
    is_done=lambda registration: registration.image is not None and registration.image_accepted,
    submit=submit,
    actions={"accept": accept, "discard": discard},
    context=context,
    chosen=chosen,
)
