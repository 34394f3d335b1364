"""What is told of an image while its archive arrives: little by little, and nothing that was not verified."""

import gzip
import io
from collections.abc import Callable

import pytest

from tests.archive.build import GOOD, STRANGER, VENDOR_KEYS, Files, Recipe, legacy, modern, tar, to_json
from wizard.archive.reader import read_image
from wizard.archive.verdicts import Refused
from wizard.domain.upload import Passport

MOST_TOLD = 6


def told(archive: bytes) -> list[Passport]:
    """All of it, whether it is accepted or refused in the end."""
    passports: list[Passport] = []
    try:
        read_image(io.BytesIO(archive), VENDOR_KEYS, takes_unknown=True, seen=passports.append)
    except Refused:
        assert not any(passport.is_complete for passport in passports)
    return passports


def ordered(recipe: Recipe, *, last: bool) -> Files:
    """The files with the configuration as the first or as the last of them."""
    files = modern(recipe)
    [name] = [name for name, content in files.items() if content == recipe.config]
    rest = {other: content for other, content in files.items() if other != name}
    return rest | {name: files[name]} if last else {name: files[name]} | rest


def test_in_the_end_all_is_known() -> None:
    assert told(tar(modern()))[-1] == Passport(
        form="tar",
        name="fanruan_license_server:1.0.0",
        architecture="amd64",
        layers=3,
        unpacked=sum(map(len, GOOD.layers)),
        company="Tiān Xià 天下 Ltd.",
        project="Decision Platform",
        licence="0123456789abcdef",
        is_signed=True,
        is_complete=True,
    )


def test_the_company_is_known_before_the_layers_are_there() -> None:
    archive = tar(ordered(GOOD, last=False))
    half = archive[: len(archive) // 2]
    assert told(half)[-1].company == "Tiān Xià 天下 Ltd."
    assert told(half)[-1].is_signed
    assert not told(half)[-1].unpacked


@pytest.mark.parametrize("form", [modern, legacy, lambda it: ordered(it, last=True)])
def test_it_is_told_a_handful_of_times_and_never_less_than_before(form: Callable[[Recipe], Files]) -> None:
    passports = told(tar(form(GOOD)))
    assert 3 <= len(passports) <= MOST_TOLD
    assert [it.is_complete for it in passports] == [False] * (len(passports) - 1) + [True]
    known = [sum(map(bool, vars(it).values())) for it in passports]
    assert known == sorted(known)


def test_a_packed_file_is_said_to_be_one_at_once() -> None:
    assert told(gzip.compress(tar(modern())))[0] == Passport(form="gzip")


@pytest.mark.parametrize("recipe", [GOOD.but(signer=STRANGER), GOOD.but(label=b"{}"), GOOD.but(label=b"")])
def test_of_claims_that_are_not_the_vendors_nothing_is_told(recipe: Recipe) -> None:
    last = told(tar(modern(recipe)))[-1]
    assert (last.is_signed, last.company, last.project, last.licence) == (False, "", "", "")


def test_an_image_without_claims_is_not_signed() -> None:
    last = told(tar(modern(GOOD.but(labelled=False))))[-1]
    assert (last.is_signed, last.company, last.is_complete) == (False, "", True)


def test_many_configurations_are_told_once() -> None:
    files = dict(modern())
    for number in range(50):
        files[f"{number:064}/json"] = to_json({"architecture": f"a{number}", "os": "linux", "rootfs": {"diff_ids": []}})
    assert len(told(tar(files))) <= MOST_TOLD


def test_what_is_told_is_fit_to_be_shown() -> None:
    names = ["\x1b[31m\u202e" + "x" * 500 + ":1"]
    configuration = to_json({"architecture": "\n" * 200, "os": "linux", "rootfs": {"diff_ids": []}})
    passports = told(tar({"manifest.json": to_json([{"RepoTags": names}]), f"{'0' * 64}.json": configuration}))
    for text in (passports[-1].name, passports[-1].architecture):
        assert text.isprintable()
        assert len(text) == 80


@pytest.mark.parametrize("content", [b"[", b"[" * 5000, b"{}", b"[{}]", b'[{"RepoTags":[]}]', b"\xff", b"null", b"[1]"])
def test_what_cannot_be_read_tells_nothing(content: bytes) -> None:
    assert told(tar({"manifest.json": content, f"{'0' * 64}.json": content})) == [Passport(form="tar")]
