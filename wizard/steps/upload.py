"""Take in the licence image that the vendor mailed, and show what is in it before anything is done with it (R2)."""

from wizard.domain.registration import Registration
from wizard.errors import InvalidInput
from wizard.flow import Step, Submission
from wizard.ports import Services
from wizard.text import Text, say


def submit(registration: Registration, submission: Submission, services: Services) -> Registration:
    if submission.file is None:
        raise InvalidInput(
            say("No file was chosen."),
            todo=say("Choose the file fanruan_license_server.tar that the vendor mailed."),
            field="file",
        )
    upload = submission.file
    return registration.use_image(services.spool.receive(upload.stream, upload.size, upload.filename))


def accept(registration: Registration, submission: Submission, services: Services) -> Registration:
    return registration.accept_image()


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
    actions={"accept": accept},
    chosen=chosen,
)
