"""Reads the e-mail in which a customer asks for an image (R1, R13), as mail programs save it (.eml, RFC 5322).

The form of its text is that of `protocol.request`. Version screenshots and other attachments are left alone, but for
a privateConfig: with one, the new licence takes over from an older one (component migration).
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.headerregistry import HeaderRegistry
from email.message import EmailMessage
from email.policy import default
from html.parser import HTMLParser
from pathlib import Path, PurePath

from wizard.licensing.protocol.api import PRIVATE_CONFIG
from wizard.licensing.protocol.config import PrivateConfig, PrivateConfigError, read_private_config
from wizard.licensing.protocol.request import Request, RequestError, read_request
from wizard.licensing.vendor.errors import VendorError

LARGEST_MAIL = 50_000_000
"""Bytes. Mail servers take less, screenshots included."""
LONGEST_HEADER = 2000
"""Characters of a header that is looked at: the parser's time grows with their square."""

_BROKEN = (AttributeError, LookupError, MessageError, RecursionError, TypeError, ValueError)
"""What the standard library raises for headers, encodings and character sets that are not what they say."""
_CHARSETS = {"gb2312": "gb18030", "gbk": "gb18030", "us-ascii": "utf-8"}
"""Charsets that mail programs name when they mean a larger one."""


class MailError(VendorError):
    """The mail cannot be accepted."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A request as it came in."""

    sender: str
    """Its address. A mail can claim any: that the contract names it is no proof that it wrote."""
    request: Request
    private_config: PrivateConfig | None


def read_mail(path: Path, contract_addresses: Collection[str] = ()) -> Mail:
    """The request in that .eml file; MailError with everything that is wrong with it.

    With `contract_addresses` the sender must be one of them (R1).
    """
    with path.open("rb") as file:
        data = file.read(LARGEST_MAIL + 1)
    if len(data) > LARGEST_MAIL:
        raise MailError(f"{path} has more than {LARGEST_MAIL // 1_000_000} MB.", "Save the request alone, as .eml.")
    try:
        return _read(message_from_bytes(data, policy=_POLICY), contract_addresses)
    except _BROKEN as error:
        raise MailError(
            f"{path} is no e-mail that can be read ({error!r:.120}).", "Save the request anew, as .eml."
        ) from error


def _header(name: str, value: str) -> str:
    """A header, parsed. In plain UTF-8 it is read as well (RFC 6532); an endless one is not."""
    if len(value) > LONGEST_HEADER:
        raise ValueError(f"the header {name} is too long")
    return _REGISTRY(name, value.encode("ascii", "surrogateescape").decode())


def _read(message: EmailMessage, contract_addresses: Collection[str]) -> Mail:
    problems: list[str] = []
    sender = _sender(message, contract_addresses, problems)
    request = _request(message, problems)
    private_config = _private_config(message, problems)
    if request is None or problems:
        raise MailError(
            "The request cannot be accepted. " + " ".join(problems), "Answer with this, and ask for a corrected one."
        )
    return Mail(sender=sender, request=request, private_config=private_config)


def _sender(message: EmailMessage, contract_addresses: Collection[str], problems: list[str]) -> str:
    found = [address.addr_spec for header in message.get_all("From", []) for address in header.addresses]
    sender = found[0] if found else ""
    if len(found) != 1 or not sender.isprintable() or not re.fullmatch(r"[^\s@]+@[^\s@]+", sender):
        problems.append("It does not say who sent it.")
    elif contract_addresses and sender.casefold() not in {address.casefold() for address in contract_addresses}:
        problems.append(f"The sender {sender} is not in the contract ({', '.join(contract_addresses)} is).")
    return sender


def _request(message: EmailMessage, problems: list[str]) -> Request | None:
    body = message.get_body(("plain", "html"))
    text = "" if body is None else _text(body)  # type: ignore[arg-type]  # parts of an EmailMessage are such too
    try:
        return read_request(str(message.get("Subject", "")), text)
    except RequestError as error:
        problems += map(str, error.problems)
        return None


def _private_config(message: EmailMessage, problems: list[str]) -> PrivateConfig | None:
    named = PRIVATE_CONFIG.casefold()
    found = [part for part in message.walk() if PurePath(part.get_filename() or "").stem.casefold() == named]
    if not found:
        return None
    if len(found) > 1:
        problems.append(f"There are {len(found)} files {PRIVATE_CONFIG}.")
        return None
    payload = found[0].get_payload(decode=True)
    try:
        return read_private_config(payload if isinstance(payload, bytes) else b"")
    except PrivateConfigError as error:
        problems.append(error.message)
        return None


def _text(part: EmailMessage) -> str:
    """The words of a part, a line for each line that its writer sees."""
    payload = part.get_payload(decode=True)
    charset = part.get_content_charset("utf-8")
    text = (payload if isinstance(payload, bytes) else b"").decode(_CHARSETS.get(charset, charset))
    if part.get_content_subtype() == "html":
        return _Html.text_of(text)
    parameters = part["Content-Type"].params if "Content-Type" in part else {}
    if parameters.get("format", "").lower() == "flowed":  # RFC 3676
        kept = "" if parameters.get("delsp", "").lower() == "yes" else " "
        return re.sub(r" \r?\n", kept, text)
    return text


class _Html(HTMLParser):
    """HTML as lines of text; the cells of a table's row are apart by tabs."""

    UNSEEN = frozenset({"head", "script", "style", "title"})
    LINES = frozenset({"br", "dd", "div", "dt", "h1", "h2", "h3", "h4", "li", "p", "table", "tr"})
    CELLS = frozenset({"td", "th"})

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[str] = []
        self._unseen = 0

    @classmethod
    def text_of(cls, html: str) -> str:
        parser = cls()
        parser.feed(html)
        parser.close()
        return "".join(parser._pieces)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self._unseen += tag in self.UNSEEN
        self._pieces.append("\n" if tag in self.LINES else "")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in self.UNSEEN and self._unseen > 0
        self._pieces.append("\n" if tag in self.LINES else "\t" if tag in self.CELLS else "")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._pieces.append(" ".join(re.split(r"[\r\n\t]+", data)))


_REGISTRY = HeaderRegistry()
_POLICY = default.clone(header_factory=_header)
