"""What happens on the wire: connections that end, are used again, or say too much; and two processes taking turns."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.uploads.images import MEBIBYTE, sha256_of
from tests.uploads.site import Admin, Site
from tests.waiting import until

HANGS_UP_BY_RESET = b"\1\0\0\0\0\0\0\0"
"""struct linger: on, 0 seconds."""


@pytest.fixture
def data(image: Path) -> bytes:
    return image.read_bytes()


@pytest.fixture
def upload(admin: Admin, data: bytes) -> Iterator[str]:
    url = admin.create(len(data))
    yield url
    admin.session.delete(url, timeout=30)


def head_of(connection: socket.socket) -> str:
    """The head of the next answer."""
    received = b""
    while b"\r\n\r\n" not in received and (more := connection.recv(1)):
        received += more
    return received.decode()


def at_the_other(site: Site, url: str) -> str:
    """The same upload at the second replica."""
    first, second = site.replicas
    return url.replace(first.url, second.url)


def test_two_replicas_take_turns(site: Site, admin: Admin, image: Path, data: bytes, upload: str) -> None:
    for start in range(0, len(data), MEBIBYTE):
        url = upload if start % (2 * MEBIBYTE) else at_the_other(site, upload)
        assert admin.patch(url, start, data[start : start + MEBIBYTE]).status_code == 204
    verdict = admin.submit(upload)
    assert verdict.status == 200
    assert site.image(verdict.registration).received == sha256_of(image)


def test_while_one_replica_is_adding_the_other_is_asked_to_wait(
    site: Site, admin: Admin, data: bytes, upload: str
) -> None:
    other = at_the_other(site, upload)
    with closing(admin.begin_patch(upload, 0, len(data))) as connection:
        connection.sendall(data[:1000])
        until(lambda: admin.offset(other), "the first bytes have arrived")
        assert admin.patch(other, 1000, data[1000:2000]).status_code == 423
    until(lambda: admin.patch(other, 1000, data[1000:2000]).status_code == 204, "the turn has ended")
    assert admin.offset(upload) == 2000


@pytest.mark.parametrize("reset", [False, True])
def test_what_came_before_the_client_hung_up_stays(admin: Admin, data: bytes, upload: str, reset: bool) -> None:
    connection = admin.begin_patch(upload, 0, len(data))
    connection.sendall(data[:1_234_567])
    until(lambda: admin.offset(upload) == 1_234_567, "all of it has arrived")
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HANGS_UP_BY_RESET)
    connection.close()
    until(lambda: admin.patch(upload, 1_234_567, data[1_234_567:]).status_code == 204, "the turn has ended")
    assert admin.submit(upload).status == 200


def test_the_connection_serves_the_next_request(admin: Admin, data: bytes, upload: str) -> None:
    with closing(admin.begin_patch(upload, 0, len(data))) as connection:
        connection.sendall(data)
        assert "204" in head_of(connection)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert "200" in head_of(connection)


def test_a_request_that_comes_with_the_body_is_answered_after_it(admin: Admin, data: bytes, upload: str) -> None:
    with closing(admin.begin_patch(upload, 0, 1000)) as connection:
        connection.sendall(data[:1000] + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert "Upload-Offset: 1000" in head_of(connection)
        assert "200" in head_of(connection)


def test_chunks_are_taken_until_there_are_too_many(admin: Admin, data: bytes, upload: str) -> None:
    for offset, size, status in ((0, 1000, 204), (1000, len(data), 413)):
        with closing(admin.begin_patch(upload, offset, 0, "Transfer-Encoding: chunked")) as connection:
            connection.sendall(b"%x\r\n%s\r\n0\r\n\r\n" % (size, data[:size]))
            assert str(status) in head_of(connection)


def test_who_sends_to_another_place_is_told_before_all_of_it_was_sent(admin: Admin, data: bytes, upload: str) -> None:
    with closing(admin.begin_patch(upload, 5, len(data))) as connection:
        connection.sendall(data[:1000])
        assert "409" in (answer := head_of(connection))
        assert "Upload-Offset: 0" in answer
    assert admin.offset(upload) == 0
