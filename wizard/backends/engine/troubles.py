"""What goes wrong on the way to an engine, in words for a person. The words of whoever noticed it are kept."""

from dataclasses import dataclass

from wizard.backends.engine import refusals
from wizard.backends.engine.tunnel import FOLDERS
from wizard.domain.engine import Engine
from wizard.domain.project import Node
from wizard.errors import BackendError
from wizard.text import Text, say


@dataclass(frozen=True, kw_only=True)
class _Sign:
    """By what it is known, in any of these words; and what is said then."""

    words: tuple[str, ...]
    happened: Text
    todo: Text


_AGAIN = say("Correct it, then start the wizard again.")

_OF_TLS = (
    _Sign(
        words=("http request to an https server",),
        happened=say("The engine of %(node)s expects TLS."),
        todo=say("Add the key tls to the node, then start the wizard again."),
    ),
    _Sign(
        words=("certificate has expired", "certificate expired"),
        happened=say("A certificate has expired: that of the engine of %(node)s, or the one in its folder tls."),
        todo=say("Renew it. flask nodes check says how long those in the folder are valid."),
    ),
    _Sign(
        words=("certificate verify failed",),
        happened=say("The engine of %(node)s has a certificate that ca.pem in its folder tls does not vouch for."),
        todo=say("Make sure that it is the engine, and put the authority of its certificate into ca.pem."),
    ),
    _Sign(
        words=(
            "alert bad certificate",
            "alert unknown ca",
            "certificate required",
            "alert certificate",
            "alert decrypt",
        ),
        happened=say("The engine of %(node)s does not accept the certificate in its folder tls (cert.pem)."),
        todo=say("Put a certificate there that the engine's own authority has signed for a client."),
    ),
    _Sign(
        words=("wrong version number", "record layer failure"),
        happened=say("The engine of %(node)s does not speak TLS at that port."),
        todo=say("Correct the port in the key engine, or let the engine listen with --tlsverify."),
    ),
    _Sign(
        words=("[x509", "[pem", "pem lib", "no certificate or crl found", "key values mismatch"),
        happened=say("The files in the folder tls of %(node)s are no certificates, or do not belong together."),
        todo=_AGAIN,
    ),
)
_BREAKS_OFF = _Sign(
    words=("eof occurred in violation of protocol",),
    happened=say("The engine of %(node)s breaks off; perhaps it does not accept the certificate in its folder tls."),
    todo=say("Put a certificate there that the engine's own authority has signed for a client."),
)
"""Only of an engine that has not answered yet: later, it is what is heard of a node that was cut off."""
_OF_SSH = (
    _Sign(
        words=(FOLDERS,),
        happened=say("On the server of the wizard no socket can be made for the engine of %(node)s."),
        todo=say("Look whether its folder for temporary files (TMPDIR) has room, and a name shorter than 60 letters."),
    ),
    _Sign(
        words=("host key is known for",),
        happened=say("The file known_hosts in the folder ssh of %(node)s does not name it."),
        todo=say(
            "Compare its host key, then write it there after the bare address, or after [address]:port when the port"
            " is not 22."
        ),
    ),
    _Sign(
        words=("host key verification failed", "identification has changed"),
        happened=say("The host key of %(node)s is not the one in known_hosts of its folder ssh."),
        todo=say("Make sure that it is the node, and write its host key into known_hosts."),
    ),
    _Sign(
        words=("bad permissions", "permissions are too open", "invalid format", "error in libcrypto"),
        happened=say("The key in the folder ssh of %(node)s cannot be used."),
        todo=say("Make it readable for the wizard's user only (0600); it must have no passphrase."),
    ),
    _Sign(
        words=("permission denied", "too many authentication failures"),
        happened=say("%(node)s does not let the user in with the key in its folder ssh."),
        todo=say(
            "Add the public key to the user's authorized_keys on the node, or correct the user in the key engine."
        ),
    ),
    _Sign(
        words=("administratively prohibited", "open failed"),
        happened=say("On %(node)s the user does not reach the engine's socket."),
        todo=say(
            "Look there whether the engine runs, its socket is where the key engine says, the user may use it, and the"
            " ssh server allows forwarding to it. The log of the ssh server says which of them it is."
        ),
    ),
)


def of_tls(node: Node, engine: Engine, error: Exception, *, has_spoken: bool) -> BackendError:
    signs = _OF_TLS if has_spoken else (*_OF_TLS, _BREAKS_OFF)
    return _known(signs, node, engine, str(error), permanent=True) or refusals.unreachable(node, engine.url, error)


def of_ssh(node: Node, engine: Engine, words: str, *, has_ended: bool = False) -> BackendError:
    """`words` are those of ssh, and of who asked through it; it `has_ended` meanwhile, after it had come through."""
    if (found := _known(_OF_SSH, node, engine, words, permanent=False)) is not None:
        return found
    return _broke_off(node, engine, words) if has_ended else refusals.unreachable(node, engine.url, RuntimeError(words))


def _broke_off(node: Node, engine: Engine, words: str) -> BackendError:
    return BackendError(
        say("The ssh connection to %(node)s broke off.", node=node.name),
        why=say("What the engine at %(url)s was asked for meanwhile may be done, or not.", url=engine.url),
        todo=say("Try again; a new connection is opened for it. If it happens often, look at the network in between."),
        raw=words,
        permanent=False,
    )


def no_program(node: Node, engine: Engine, program: str) -> BackendError:
    return BackendError(
        say(
            "The program %(program)s is not there, and the engine of %(node)s is behind it.",
            program=program,
            node=node.name,
        ),
        why=_where(engine),
        todo=say("Install it on the server of the wizard: Debian's packages openssh-client and util-linux."),
        permanent=True,
    )


def no_engine_there(node: Node, engine: Engine, words: str) -> BackendError:
    return BackendError(
        say("What answers in the place of the engine of %(node)s is no engine.", node=node.name),
        why=_where(engine),
        todo=say("Look what listens there, and correct the key engine of the node."),
        raw=words,
        permanent=True,
    )


def too_new(node: Node, oldest: str, wanted: str) -> BackendError:
    return BackendError(
        say("The engine of %(node)s is too new.", node=node.name),
        why=say(
            "It speaks version %(oldest)s of its API or later; the wizard speaks %(wanted)s.",
            oldest=oldest,
            wanted=wanted,
        ),
        todo=say("Update the wizard."),
        permanent=True,
    )


def _known(signs: tuple[_Sign, ...], node: Node, engine: Engine, words: str, *, permanent: bool) -> BackendError | None:
    """A pretended node is not asked again by itself; what is wrong with ssh may be mended on the node meanwhile."""
    said = words.lower().replace("_", " ")
    found = next((sign for sign in signs if any(word in said for word in sign.words)), None)
    if found is None:
        return None
    happened = say(found.happened.msgid, node=node.name)
    return BackendError(happened, why=_where(engine), todo=found.todo, raw=words, permanent=permanent)


def _where(engine: Engine) -> Text:
    return say("It is asked at %(url)s.", url=engine.url)
