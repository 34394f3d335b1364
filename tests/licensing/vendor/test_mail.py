"""Requests as mail programs save them: what R1 asks for is found, and all that is missing is named."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.licensing.vendor.instances import Instance, issued, small_office
from wizard.licensing.protocol.request import LABELS, Request, compose
from wizard.licensing.vendor.mail import LARGEST_MAIL, Mail, MailError, read_mail

REQUEST = Request(
    company="帆软 Example Co.",
    project="Sales & Reports",
    signed=date(2024, 3, 9),
    registrations=3,
    version="11.0.19 (JAR 2024-03-01)",
)
SENDER = "licences@example.com"


def message(request: Request = REQUEST, language: str = "en", **headers: str) -> EmailMessage:
    """The mail that the wizard composes."""
    letter = compose(request, language)
    made = EmailMessage()
    for name, text in ({"Subject": letter.subject, "From": SENDER, "To": "vendor@example.net"} | headers).items():
        made[name] = text
    made.set_content(letter.body)
    return made


def saved(folder: Path, data: EmailMessage | bytes) -> Path:
    path = folder / "request.eml"
    path.write_bytes(data if isinstance(data, bytes) else data.as_bytes())
    return path


def read(folder: Path, data: EmailMessage | bytes) -> Mail:
    return read_mail(saved(folder, data))


def refusal(folder: Path, data: EmailMessage | bytes, *addresses: str) -> str:
    with pytest.raises(MailError) as refused:
        read_mail(saved(folder, data), addresses)
    assert refused.value.todo
    return refused.value.what


@pytest.mark.parametrize("language", LABELS)
def test_what_the_wizard_composes_is_read_from_the_saved_mail(tmp_path: Path, language: str) -> None:
    mail = read(tmp_path, message(language=language))
    assert (mail.sender, mail.request, mail.private_config) == (SENDER, REQUEST, None)


def test_everything_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    empty = EmailMessage()
    empty["Subject"] = "Registration"
    empty.set_content("Please send us an image.\nContract signing date: 9 March 2024\n")
    said = refusal(tmp_path, empty)
    for part in (
        "who sent it",
        "The title is not",
        '"Company name" is missing',
        '"Project name" is missing',
        '"Contract signing date" is no date of the form YYYY/MM/DD',
        '"Registration method" is missing',
        '"Project version" is missing',
    ):
        assert part in said


@pytest.mark.parametrize("headers", [{"From": "nobody"}, {"From": "a@example.com, b@example.com"}, {"From": "<>"}])
def test_a_mail_has_one_sender_with_an_address(tmp_path: Path, headers: dict[str, str]) -> None:
    data = message().as_bytes().replace(f"From: {SENDER}".encode(), f"From: {headers['From']}".encode())
    assert "who sent it" in refusal(tmp_path, data)


def test_the_sender_must_be_an_address_of_the_contract_where_they_are_given(tmp_path: Path) -> None:
    path = saved(tmp_path, message(From=f'"Licences, of Example" <{SENDER}>'))
    assert read_mail(path, ("other@example.com", SENDER.upper())).sender == SENDER
    assert read_mail(path).sender == SENDER
    assert f"{SENDER} is not in the contract (other@example.com is)" in refusal(
        tmp_path, path.read_bytes(), "other@example.com"
    )


def test_screenshots_are_left_alone(tmp_path: Path) -> None:
    mail = message()
    mail.add_attachment(bytes(1_000_000), maintype="image", subtype="png", filename="version.png")
    mail.add_attachment("Company name: Another\n", filename="notes.txt")
    assert read(tmp_path, mail).request == REQUEST


def private_config(folder: Path) -> tuple[bytes, Instance]:
    office = small_office(folder)
    instance = Instance(issued(office))
    office.close()
    return instance.private_config(retired=True), instance


@pytest.mark.parametrize("filename", ["privateConfig", "privateconfig.json"])
@pytest.mark.parametrize("as_text", [False, True])
def test_an_attached_privateconfig_is_read(tmp_path: Path, filename: str, as_text: bool) -> None:
    content, instance = private_config(tmp_path)
    mail = message()
    if as_text:
        mail.add_attachment(content.decode(), filename=filename)
    else:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=filename)
    found = read(tmp_path, mail.as_bytes().replace(b"\n", b"\r\n")).private_config
    assert found
    assert (found.instance, found.is_retired) == (instance.key.hex(), True)


def test_a_privateconfig_that_was_changed_or_comes_twice_is_refused(tmp_path: Path) -> None:
    content, _ = private_config(tmp_path)
    changed, twice = message(), message()
    changed.add_attachment(
        content.replace(b"retirement", b"Retirement"), maintype="a", subtype="b", filename="privateConfig"
    )
    assert "no privateConfig, or it was changed" in refusal(tmp_path, changed)
    for _ in range(2):
        twice.add_attachment(content, maintype="a", subtype="b", filename="privateConfig")
    assert "2 files privateConfig" in refusal(tmp_path, twice)


def flowed(mail: EmailMessage) -> None:
    """As Thunderbird breaks long lines (RFC 3676)."""
    mail.set_content(compose(REQUEST).body.replace("11.0.19 ", "11.0.19 \n"), params={"format": "flowed"})


def html_lines(mail: EmailMessage) -> None:
    lines = compose(REQUEST).body.replace("&", "&amp;").splitlines()
    mail.set_content("<title>Project name: no</title>" + "".join(f"<p>{line}</p>" for line in lines), subtype="html")


def html_table(mail: EmailMessage) -> None:
    """As the table of the manual, copied into a mail."""
    pairs = [line.split(": ", 1) for line in compose(REQUEST).body.replace("&", "&amp;").splitlines()]
    rows = "".join(f"<tr>\n<td><p>{label}</p></td>\n<td><p>{text}</p></td>\n</tr>" for label, text in pairs)
    mail.set_content(f"<html><body><table>{rows}</table></body></html>", subtype="html")


def both(mail: EmailMessage) -> None:
    mail.add_alternative("<p>Company name: see the text</p>", subtype="html")


def gb18030(mail: EmailMessage) -> None:
    """As programs in China name it: a smaller charset than the one they use."""
    mail.set_content(compose(REQUEST).body.replace("帆软", "帆軟").encode("gb18030"), "text", "plain", cte="base64")
    mail.set_param("charset", "gb2312")
    del mail["Subject"]
    mail["Subject"] = compose(REQUEST).subject.replace("帆软", "帆軟")


@pytest.mark.parametrize("write", [flowed, html_lines, html_table, both, gb18030])
def test_it_is_read_however_the_mail_program_wraps_it(tmp_path: Path, write: Callable[[EmailMessage], None]) -> None:
    mail = message()
    write(mail)
    request = read(tmp_path, mail).request
    assert request.company in {REQUEST.company, "帆軟 Example Co."}
    assert (request.project, request.version) == (REQUEST.project, REQUEST.version)


def test_a_title_in_plain_utf_8_is_read(tmp_path: Path) -> None:
    letter = compose(REQUEST)
    data = (
        f"From: {SENDER}\r\nSubject: {letter.subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{letter.body}"
    )
    assert read(tmp_path, data.encode()).request == REQUEST


BROKEN = {
    "nothing": b"",
    "no mail": bytes(range(256)) * 40,
    "another charset than it says": message().as_bytes().replace(b"utf-8", b"ascii7"),
    "no such encoding": b"From: a@b.c\nContent-Type: text/plain; charset=\xff\n\nx",
    "bytes that the charset has not": b"From: a@b.c\nContent-Type: text/plain; charset=utf-8\n\n\xff\xfe",
    "nested comments": b"From: " + b"(" * 1900 + b"\n\nx",
    "an endless header": b"Subject: " + b"x" * 100_000 + b"\nFrom: a@b.c\n\nx",
    "an endless type": b"Content-Type: " + b";" * 100_000 + b"\nFrom: a@b.c\n\nx",
    "parts without end": b'Content-Type: multipart/mixed; boundary="b"\nFrom: a@b.c\n\n' + b"--b\n\n" * 1000,
    "base64 that is none": b"From: a@b.c\nContent-Transfer-Encoding: base64\n\n=====\xff",
    "a sender that a terminal would obey": b"From: \x1b[2J@b.c\n\nx",
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_such_mail_is_refused_in_words(tmp_path: Path, name: str) -> None:
    said = refusal(tmp_path, BROKEN[name], "a@example.com")
    assert said.isprintable()
    assert len(said) < 1000


def test_a_mail_is_not_read_beyond_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "large.eml"
    with path.open("wb") as file:
        file.truncate(LARGEST_MAIL + 1)
    with pytest.raises(MailError, match="more than 50 MB"):
        read_mail(path)


GENUINE = message(From=f'"Licences" <{SENDER}>').as_bytes()


@settings(deadline=None, derandomize=True)
@given(
    position=st.integers(0, len(GENUINE)), cut=st.integers(0, 60), put=st.binary(max_size=30) | st.text(';"=(<,@?*:\n')
)
def test_a_mail_with_any_damage_is_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, position: int, cut: int, put: bytes | str
) -> None:
    inserted = put.encode() if isinstance(put, str) else put
    path = saved(tmp_path_factory.getbasetemp(), GENUINE[:position] + inserted + GENUINE[position + cut :])
    with suppress(MailError):
        mail = read_mail(path)
        assert f"{mail.sender} {mail.request.company} {mail.request.version}".isprintable()
