"""kill -9 of the web process during an upload: it goes on behind what had arrived, and the file is the same."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TypeVar

import pytest
import requests

from tests.uploads.images import MEBIBYTE, sha256_of, write_image
from tests.uploads.site import Admin, Replica, Site
from tests.waiting import until

SHARE = 8 * MEBIBYTE
"""Bytes of the image for each kill; they still flow when it comes."""
Answer = TypeVar("Answer")
CHOICE = random.Random(5)


def patiently(ask: Callable[[], Answer]) -> Answer:
    """What is answered by whoever is there again."""

    def answer() -> tuple[Answer] | None:
        with suppress(requests.RequestException, OSError):
            return (ask(),)
        return None

    return until(answer, "the web process answers")[0]


def killed_all(replica: Replica) -> None:
    replica.kill()
    replica.start()
    replica.wait()


WAYS = (Replica.kill_the_worker, killed_all)


@contextmanager
def sending(admin: Admin, upload: str, offset: int, data: bytes) -> Iterator[None]:
    """Meanwhile all the rest is announced, and a share of it is sent."""
    with admin.begin_patch(upload, offset, len(data) - offset) as connection:

        def send() -> None:
            with suppress(OSError):  # nobody is there any more
                connection.sendall(data[offset : offset + SHARE])

        sender = Thread(target=send)
        sender.start()
        yield
        sender.join()


@pytest.mark.parametrize("kills", [1, pytest.param(60, marks=pytest.mark.long)])
def test_an_upload_survives_kills(tmp_path: Path, kills: int) -> None:
    image = write_image(tmp_path / "image.tar", kills * SHARE // MEBIBYTE)
    data = image.read_bytes()
    site = Site(tmp_path / "data")
    site.begin()
    [replica] = site.replicas
    try:
        admin = site.admin()
        upload = admin.create(len(data))
        arrived = tmp_path / "data" / "uploads" / upload.rpartition("/")[2] / "bytes"
        offset = 0
        for kill in range(kills):
            target = offset + CHOICE.randrange(1, SHARE)
            with sending(admin, upload, offset, data):
                until(lambda: arrived.stat().st_size >= target, "some of it has arrived")  # noqa: B023
                WAYS[kill % len(WAYS)](replica)
            offset = patiently(lambda: admin.offset(upload))
            assert target <= offset < len(data)
        assert patiently(lambda: admin.patch(upload, offset, data[offset:])).status_code == 204
        killed_all(replica)
        verdict = patiently(lambda: admin.submit(upload))
        assert verdict.status == 200, verdict.text
        assert site.image(verdict.registration).received == sha256_of(image)
    finally:
        site.end()
