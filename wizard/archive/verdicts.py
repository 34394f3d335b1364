"""Why an archive is refused: a code for each reason, and what a person is told. Data; the checks are elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass

from wizard.errors import InvalidInput
from wizard.text import Text, say


@dataclass(frozen=True)
class Verdict:
    """What happened, why, and what to do next."""

    happened: Text
    why: Text
    todo: Text


class Refused(InvalidInput):
    """An archive that is no licence image, or not a whole one. `code` is a key of VERDICTS."""

    def __init__(self, code: str, **params: str | int) -> None:
        verdict = VERDICTS[code]
        super().__init__(
            _filled(verdict.happened, params), why=_filled(verdict.why, params), todo=_filled(verdict.todo, params)
        )
        self.code = code
        self.params: Mapping[str, str | int] = params


def _filled(text: Text, params: Mapping[str, str | int]) -> Text:
    return Text(text.msgid, {name: shown(value) for name, value in params.items()})


def shown(value: str | int) -> str | int:
    """A value out of an archive, fit to be shown: printable, and not endless."""
    if isinstance(value, int):
        return value
    printable = "".join(character if character.isprintable() else "·" for character in value[:81])
    return printable if len(printable) <= 80 else printable[:79] + "…"


NOT_AN_ARCHIVE = say("This file is not an image archive.")
DAMAGED = say("The archive is damaged.")
NOT_A_SAVED_IMAGE = say("The archive does not hold an image as `docker save` writes it.")
CONTRADICTION = say("The archive contradicts itself.")
NOT_THE_LICENCE_IMAGE = say("The archive holds another image than the licence image.")
NOT_THE_VENDORS = say("The archive does not hold a licence of the vendor.")
NOT_RECEIVED = say("The archive was not received.")

NOT_TO_BE_UNPACKED = say("The image cannot be unpacked safely.")
TOO_MUCH = say("The archive asks for too much when it is unpacked.")

CHOOSE_ANOTHER = say("Choose the file fanruan_license_server.tar that came with the vendor's e-mail.")
TRANSFER_AGAIN = say(
    "Take the file from the vendor's e-mail once more. If it is refused again, ask the vendor to send another."
)
SAVE_AGAIN = say("Save the image again with `docker save`, changing nothing in the file, and upload that.")
PACK_PLAINLY = say("Upload the tar file as `docker save` wrote it, or pack that with plain gzip.")
SEND_AGAIN = say("Ask the vendor to send the image again.")
UPLOAD_AGAIN = say("Upload it again.")

VERDICTS: Mapping[str, Verdict] = {
    # The file
    "empty": Verdict(NOT_AN_ARCHIVE, say("It is empty."), TRANSFER_AGAIN),
    "not-tar": Verdict(NOT_AN_ARCHIVE, say("It does not begin as a tar file does."), CHOOSE_ANOTHER),
    "compressed": Verdict(
        say("The archive is packed in a way that is not supported."),
        say("It is a %(kind)s file; plain tar files are understood, and those packed with gzip, xz or zstd."),
        say("Unpack it with %(kind)s first, and upload the tar file."),
    ),
    "packed-damaged": Verdict(DAMAGED, say("It is packed, and cannot be unpacked."), TRANSFER_AGAIN),
    "packed-memory": Verdict(
        TOO_MUCH, say("Unpacking it would take more memory than the wizard gives to it."), PACK_PLAINLY
    ),
    "packed-ratio": Verdict(
        TOO_MUCH, say("It unpacks to more than %(limit)s times its size; a real image to about four times."), SEND_AGAIN
    ),
    "packed-streams": Verdict(
        TOO_MUCH, say("It is packed in more than %(limit)s parts, or in empty ones."), PACK_PLAINLY
    ),
    "packed-twice": Verdict(
        say("The archive is packed more than once."),
        say("What comes out when it is unpacked is packed again."),
        say("Unpack it once, and upload what comes out."),
    ),
    "truncated": Verdict(DAMAGED, say("It ends too early, after %(size)s bytes."), TRANSFER_AGAIN),
    "trailing": Verdict(DAMAGED, say("Something follows after its end."), TRANSFER_AGAIN),
    "checksum": Verdict(
        DAMAGED, say("A header at byte %(position)s does not agree with its own checksum."), TRANSFER_AGAIN
    ),
    "header": Verdict(DAMAGED, say("A header at byte %(position)s cannot be read."), TRANSFER_AGAIN),
    "padding": Verdict(
        DAMAGED, say("Something stands at byte %(position)s, where a block is filled with zeros."), TRANSFER_AGAIN
    ),
    "too-large": Verdict(
        say("The archive is too large."),
        say("It holds more than %(limit)s GB; a licence image has about a tenth of one."),
        CHOOSE_ANOTHER,
    ),
    "too-many-members": Verdict(
        NOT_A_SAVED_IMAGE, say("It holds more than %(limit)s files; an image has some dozens."), CHOOSE_ANOTHER
    ),
    # Its members
    "name": Verdict(NOT_A_SAVED_IMAGE, say("It holds a file whose name cannot be used."), SAVE_AGAIN),
    "escaping": Verdict(NOT_A_SAVED_IMAGE, say("The file %(member)s in it points outside of the archive."), SEND_AGAIN),
    "duplicate": Verdict(NOT_A_SAVED_IMAGE, say("It holds the file %(member)s twice."), SAVE_AGAIN),
    "not-a-file": Verdict(
        NOT_A_SAVED_IMAGE, say("In it %(member)s is a link or a device, where a file belongs."), SAVE_AGAIN
    ),
    "unexpected": Verdict(
        NOT_A_SAVED_IMAGE, say("It holds %(member)s, which does not belong to a saved image."), SAVE_AGAIN
    ),
    "too-much-metadata": Verdict(
        NOT_A_SAVED_IMAGE,
        say("Its descriptions take more than %(limit)s MB; real ones take less than one."),
        SEND_AGAIN,
    ),
    "blob-digest": Verdict(DAMAGED, say("The content of %(member)s does not agree with its name."), TRANSFER_AGAIN),
    "layer-damaged": Verdict(DAMAGED, say("The layer %(member)s cannot be unpacked."), TRANSFER_AGAIN),
    "layer-compression": Verdict(
        say("The archive is written in a way that is not supported."),
        say("The layer %(member)s is packed with %(kind)s; plain layers are understood, and gzip, xz and zstd."),
        say("Load it with `docker load`, save it again with `docker save`, and upload that."),
    ),
    "layer-tar": Verdict(
        NOT_TO_BE_UNPACKED,
        say("The layer %(member)s is no tar file, or has something that engines would read in different ways."),
        SEND_AGAIN,
    ),
    "layer-members": Verdict(
        NOT_TO_BE_UNPACKED,
        say("The layer %(member)s holds more than %(limit)s files, or names that are too long."),
        SEND_AGAIN,
    ),
    "layer-escaping": Verdict(
        NOT_TO_BE_UNPACKED, say("The layer %(member)s holds a path that leads out of the image."), SEND_AGAIN
    ),
    "layer-link": Verdict(
        NOT_TO_BE_UNPACKED,
        say("The layer %(member)s writes through a link, or links to something that it does not hold."),
        SEND_AGAIN,
    ),
    "layer-device": Verdict(NOT_TO_BE_UNPACKED, say("The layer %(member)s holds a device or a pipe."), SEND_AGAIN),
    "layer-duplicate": Verdict(NOT_TO_BE_UNPACKED, say("The layer %(member)s holds a path twice."), SEND_AGAIN),
    "layer-whiteout": Verdict(
        NOT_TO_BE_UNPACKED,
        say("The layer %(member)s removes something that an image cannot do without, or in a way that is not known."),
        SEND_AGAIN,
    ),
    # What it describes
    "no-manifest": Verdict(
        NOT_A_SAVED_IMAGE, say("It has no manifest.json or index.json with an image in it."), CHOOSE_ANOTHER
    ),
    "description": Verdict(NOT_A_SAVED_IMAGE, say("Its description %(member)s cannot be read."), SEND_AGAIN),
    "missing": Verdict(DAMAGED, say("It names %(member)s, but does not hold it."), TRANSFER_AGAIN),
    "two-images": Verdict(
        say("The archive holds more than one image."),
        say("It is not clear which of them would be deployed."),
        say("Save the licence image alone with `docker save`, and upload that."),
    ),
    "no-name": Verdict(
        say("The image in the archive has no name."),
        say("It was saved by its id, not by its name and tag."),
        say("Save it again by its name and tag, as in `docker save fanruan_license_server:1.0.0`."),
    ),
    "two-names": Verdict(
        say("The image in the archive has several names."),
        say("The licence image has one name and one tag."),
        say("Save it again by one name and tag, as in `docker save fanruan_license_server:1.0.0`."),
    ),
    "foreign-repository": Verdict(NOT_THE_LICENCE_IMAGE, say("It is named %(found)s, not %(wanted)s."), CHOOSE_ANOTHER),
    "architecture": Verdict(
        say("The image does not run on these nodes."),
        say("It is made for %(found)s; the authorization application runs on %(wanted)s."),
        say("Ask the vendor for the image for x86_64."),
    ),
    "indexes-disagree": Verdict(
        CONTRADICTION, say("%(member)s describes another image than the rest of it."), SEND_AGAIN
    ),
    "descriptor-size": Verdict(CONTRADICTION, say("The size of %(member)s is not the one that is stated."), SEND_AGAIN),
    "unreferenced": Verdict(
        NOT_A_SAVED_IMAGE, say("It holds %(member)s, which does not belong to the image in it."), SAVE_AGAIN
    ),
    "configuration": Verdict(
        say("The image has a setting that is not allowed."),
        say("It is %(setting)s: engines would read it in different ways, or it would run something else."),
        SEND_AGAIN,
    ),
    "config-digest": Verdict(
        CONTRADICTION, say("The image's configuration does not agree with its digest."), SEND_AGAIN
    ),
    "layer-count": Verdict(
        CONTRADICTION, say("The image's configuration names another number of layers than the manifest."), SEND_AGAIN
    ),
    "layer-digest": Verdict(
        CONTRADICTION, say("The layer %(member)s is not the one that the image's configuration names."), SEND_AGAIN
    ),
    # Whose it is
    "claims-missing": Verdict(
        NOT_THE_VENDORS, say("The image has the right name, but carries no licence."), CHOOSE_ANOTHER
    ),
    "claims-malformed": Verdict(NOT_THE_VENDORS, say("The licence in it cannot be read."), SEND_AGAIN),
    "claims-unknown-key": Verdict(
        NOT_THE_VENDORS,
        say("Its licence is signed with a key that this installation does not know as the vendor's."),
        say("Use the image that the vendor issued for you. If this is it, ask the vendor for the current vendor.pub."),
    ),
    "claims-forged": Verdict(
        NOT_THE_VENDORS, say("The signature does not belong to the licence: it was changed after signing."), SEND_AGAIN
    ),
    "claims-architecture": Verdict(
        CONTRADICTION, say("The licence was issued for another architecture than the image has."), SEND_AGAIN
    ),
    "claims-layers": Verdict(
        NOT_THE_VENDORS, say("The licence was issued for other contents than those of the image."), SEND_AGAIN
    ),
    "claims-settings": Verdict(
        NOT_THE_VENDORS,
        say("The licence was not issued for the settings of the image, such as its command and its user."),
        SEND_AGAIN,
    ),
    "top-layer": Verdict(
        NOT_THE_VENDORS, say("The top layer of the image holds something else than the licence file."), SEND_AGAIN
    ),
    # This installation
    "no-vendor-key": Verdict(
        say("The archive cannot be checked."),
        say("No key of the vendor is configured, so nothing can be recognised as the vendor's."),
        say("Point WIZARD_VENDOR_KEYS to the vendor's file vendor.pub."),
    ),
    "vendor-key": Verdict(
        say("The archive cannot be checked."),
        say("The file of the vendor's keys cannot be read."),
        say("Point WIZARD_VENDOR_KEYS to the file vendor.pub as the vendor delivered it."),
    ),
    "not-pinned": Verdict(
        say("This image is not in the list of this installation."),
        say("The list has neither the SHA-256 of the file, %(digest)s, nor the id of the image in it."),
        say("Choose another file. If this one is right, have its SHA-256 added to the list in WIZARD_PINNED_IMAGES."),
    ),
    "pins": Verdict(
        say("The archive cannot be checked."),
        say("The list of the images of this installation cannot be read."),
        say("Point WIZARD_PINNED_IMAGES to a file that has a SHA-256 on each line."),
    ),
    "incomplete": Verdict(
        NOT_RECEIVED, say("%(size)s of %(declared)s bytes arrived before the connection ended."), UPLOAD_AGAIN
    ),
    "changed": Verdict(
        NOT_RECEIVED, say("The disk of the wizard did not give back what was written to it."), UPLOAD_AGAIN
    ),
    "excess": Verdict(NOT_RECEIVED, say("More than the announced %(declared)s bytes arrived."), UPLOAD_AGAIN),
    "no-space": Verdict(
        NOT_RECEIVED,
        say("The disk of the wizard is full, or would be: %(free)s MB are free."),
        say("Make room on the disk that holds the wizard's data, then upload it again."),
    ),
}
