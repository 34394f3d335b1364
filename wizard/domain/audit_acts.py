"""What can be done, and to what, in the words of the audit trail."""

from collections.abc import Mapping

from wizard.domain.audit import Outcome, Way
from wizard.text import Text, say

ACTS: Mapping[str, Text] = {
    # coming and going
    "link": say("used a sign-in link"),
    "sign-in": say("signed in"),
    "sign-out": say("signed out"),
    "sign-out-everywhere": say("signed out everywhere"),
    "password": say("changed the password"),
    "make-link": say("made a sign-in link"),
    # people
    "invite": say("made an invitation"),
    "invite-revoke": say("revoked an invitation"),
    "join": say("accepted an invitation"),
    "change-role": say("changed the role of an account"),
    "remove-account": say("removed an account"),
    # the steps and their buttons
    "begin": say("began a registration"),
    "upload": say("uploaded an image"),
    "upload-accept": say("accepted the image"),
    "upload-discard": say("discarded an upload"),
    "node": say("chose a node"),
    "port": say("chose a port"),
    "deploy": say("asked for the deployment"),
    "scan": say("said that the phone has the code"),
    "scan-refresh": say("asked for a new QR code"),
    "scan-back": say("took back the scan"),
    "code": say("entered a code"),
    "code-back": say("took back the verification"),
    "register": say("asked for the registration of the project"),
    "register-back": say("took back the registration of the project"),
    "step": say("used another step"),
    "abort": say("asked for work to be undone"),
    "take-over": say("took over the work"),
    # what is given away of a registration
    "share-link": say("made a link for observers"),
    "share-revoke": say("revoked a link for observers"),
    "observe": say("opened a link for observers"),
    "hand-over": say("offered the work to another browser"),
    "hand-over-taken": say("went on in another browser"),
    "launch": say("was launched from another application"),
    # files
    "upload-begin": say("began to send a file"),
    "upload-piece": say("sent a piece of a file"),
    "upload-remove": say("removed a file that was being sent"),
    # the worker
    "worked-port": say("checked the node and the port"),
    "worked-deploy": say("deployed the authorization application"),
    "worked-register": say("had the project register"),
    "worked": say("did the work of a step"),
    # what has no sentence yet
    "other": say("did something else"),
}
"""By its slug, what somebody did, as the rest of a sentence that begins with their name."""

DETAILS: Mapping[str, Text] = {
    "project": say("project"),
    "node": say("node"),
    "port": say("port"),
    "image": say("image"),
    "policy": say("taken as"),
    "file": say("file"),
    "asked": say("asked for"),
    "operation": say("operation"),
    "account": say("account"),
    "role": say("role"),
    "invitation": say("invitation"),
    "link": say("link"),
    "life": say("good for"),
    "unnoted": say("like it before, not noted one by one"),
}

OUTCOMES: Mapping[str, Text] = {
    Outcome.DONE: say("done"),
    Outcome.REFUSED: say("refused"),
    Outcome.FAILED: say("failed"),
    Outcome.UNDONE: say("undone"),
}

WAYS: Mapping[str, Text] = {
    Way.ACCOUNT: say("account"),
    Way.OBSERVER_LINK: say("observer link"),
    Way.FINEOPS: say("FineOps"),
    Way.KIOSK: say("kiosk"),
    Way.STRANGER: say("not signed in"),
    Way.TERMINAL: say("terminal"),
    Way.WORKER: say("worker"),
}


def known(slug: str, otherwise: str) -> str:
    """The act, when it has a sentence, or one that says less: slugs in addresses can be anything."""
    return slug if slug in ACTS else otherwise
