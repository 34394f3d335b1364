"""What stands in the headers of a tar file: numbers, names, and the records of pax. A ValueError when it is none."""

import re
from collections.abc import Mapping
from functools import lru_cache

from wizard.archive.limits import LONGEST_NAME
from wizard.archive.verdicts import Refused

RECORD = re.compile(rb"([1-9][0-9]{0,6}) ([^=\n\0]+)=")
_WHOLE = re.compile(rb"-?[0-9]{1,19}")
_TIME = re.compile(rb"-?[0-9]{1,19}(?:\.[0-9]*)?")
_TEXT = re.compile(rb"[^\0]*")
_ANY = re.compile(rb".*", re.DOTALL)
VALUES: Mapping[bytes, re.Pattern[bytes]] = {
    b"size": re.compile(rb"[0-9]{1,15}"),
    b"uid": _WHOLE,
    b"gid": _WHOLE,
    b"mtime": _TIME,
    b"atime": _TIME,
    b"ctime": _TIME,
    b"uname": _TEXT,
    b"gname": _TEXT,
}
"""What the records of pax may be whose form engines insist on (POSIX, pax, and Go's archive/tar)."""
BASE_256 = (0x80, 0xFF)
"""How a number begins that is not written in digits, as GNU tar and Go write what is large, and what is negative."""


@lru_cache(4096)
def octal(field: bytes) -> int:
    """Octal digits; there may be spaces before them, and spaces and zeros behind."""
    digits = field.lstrip(b" ").rstrip(b" \0")
    if not digits.isdigit():
        raise ValueError(field)
    return int(digits, 8)


def wide(field: bytes) -> int:
    """Octal digits, or base 256 without a sign, or nothing for zero."""
    if field[0] == BASE_256[0]:
        return int.from_bytes(field[1:])
    return octal(field) if field.strip(b"\0 ") else 0


def ensure_number(field: bytes, *, may_be_wide: bool) -> None:
    """A number that is not needed here, but that an engine reads: it may be left out, and negative."""
    if not (may_be_wide and field[0] in BASE_256) and field.strip(b"\0 "):
        octal(field)


def records(content: bytes, keys: re.Pattern[bytes]) -> dict[bytes, bytes]:
    """Those of a pax header: `<length> <key>=<value>\\n`, the length that of the whole record, in decimal."""
    found: dict[bytes, bytes] = {}
    begin = 0
    while begin < len(content):
        match = RECORD.match(content, begin)
        end = begin + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(content) or content[end - 1 : end] != b"\n":
            raise ValueError(content[begin:end])
        key, value = match[2], content[match.end() : end - 1]
        if key in found or not keys.fullmatch(key) or not VALUES.get(key, _ANY).fullmatch(value):
            raise ValueError(key)
        found[key], begin = value, end
    return found


def clean_name(raw: bytes, *, is_folder: bool) -> str:
    """The name as it is compared and shown; Refused when it could mean anything but a place inside the archive."""
    if len(raw) > LONGEST_NAME:
        raise Refused("name")
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise Refused("name") from None
    if name.startswith("/") or ".." in name.split("/"):
        raise Refused("escaping", member=name)
    name = name.removeprefix("./")
    if is_folder:
        name = name.removesuffix("/") or "."
    if "\0" in name or (name != "." and not set(name.split("/")).isdisjoint({"", "."})):
        raise Refused("name")
    if name == "." and not is_folder:
        raise Refused("name")
    return name
