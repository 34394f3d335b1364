"""tus over the real uploads, without a network: what each request is answered."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from werkzeug.test import TestResponse

from app import assemble
from tests.archive.build import GOOD, VENDOR_KEYS, modern, tar
from tests.desk import FakeDesk
from tests.factories import NOW
from tests.memory_store import MemoryAccounts
from tests.waiting import until
from wizard.archive.spool import FileSpool
from wizard.archive.uploads import FolderUploads
from wizard.domain.account import Account
from wizard.domain.session import Session
from wizard.licensing.protocol.claims import dump_vendor_keys
from wizard.steps import FLOW
from wizard.web.sessions import packed

ARCHIVE = tar(modern())
FORGED = tar(modern(GOOD.but(claims={"layers": "00" * 32})))
CONTENT = "application/offset+octet-stream"
NONSENSE = [None, "", "-1", "9" * 20, "9" * 5000, "0x10", "1e3", "1 2", "5,5", "\xb2", "1.0", "+1"]
"""As numbers of bytes. None is no header at all; of the same header twice gunicorn makes one with a comma."""


@pytest.fixture
def uploads(tmp_path: Path) -> FolderUploads:
    keys = tmp_path / "vendor.pub"
    keys.write_bytes(dump_vendor_keys(VENDOR_KEYS))
    return FolderUploads(tmp_path / "uploads", FileSpool(tmp_path / "spool", keys))


@pytest.fixture
def app(desk: FakeDesk, accounts: MemoryAccounts, uploads: FolderUploads) -> Flask:
    app = assemble(FLOW, replace(desk.services, uploads=uploads), accounts, secret_key="a secret for tests")
    app.testing = True
    return app


class Client:
    """A tus client that says what it is told to; a header that is None is not sent."""

    def __init__(self, app: Flask, account: Account) -> None:
        self.flask = app.test_client()
        with self.flask.session_transaction() as session:
            begun = Session(id="s1", account=account.name, epoch=account.epoch, begun_at=NOW, used_at=NOW)
            session.update(packed(begun))
        page = BeautifulSoup(self.flask.get("/").text, "html.parser")
        self.token = str(page.select("[name=csrf_token]")[0]["value"])

    def call(
        self, method: str, url: str, headers: Mapping[str, str | None] | None = None, data: bytes = b""
    ) -> TestResponse:
        said = {"Tus-Resumable": "1.0.0", "X-CSRFToken": self.token} | dict(headers or {})
        return self.flask.open(
            url, method=method, headers={name: value for name, value in said.items() if value is not None}, data=data
        )

    def create(self, length: int = len(ARCHIVE), metadata: str = "") -> str:
        answer = self.call("POST", "/uploads/", {"Upload-Length": str(length), "Upload-Metadata": metadata})
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def patch(self, url: str, offset: int, data: bytes, **headers: str) -> TestResponse:
        said = {"Upload-Offset": str(offset), "Content-Type": CONTENT}
        return self.call("PATCH", url, said | {name.replace("_", "-"): value for name, value in headers.items()}, data)

    def head(self, url: str) -> TestResponse:
        return self.call("HEAD", url)

    def offset(self, url: str) -> int:
        return int(self.head(url).headers["Upload-Offset"])


@pytest.fixture
def client(app: Flask, accounts: MemoryAccounts) -> Client:
    account = Account(name="admin", password_hash="nobody signs in with it", created_at=NOW)
    accounts.add_account(account)
    return Client(app, account)


def checksum(data: bytes, name: str = "sha1") -> str:
    return f"{name} {b64encode(hashlib.new(name, data).digest()).decode()}"


def id_of(url: str) -> str:
    return url.rpartition("/")[2]


def test_what_the_server_can_do_is_said(client: Client) -> None:
    answer = client.call("OPTIONS", "/uploads/", {"Tus-Resumable": None})
    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Max-Size"] == str(4 << 30)
    assert "creation" in answer.headers["Tus-Extension"]
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_a_file_arrives_in_pieces_and_is_the_image_that_it_is(client: Client, uploads: FolderUploads) -> None:
    url = client.create()
    for start in range(0, len(ARCHIVE), 50_000):
        piece = ARCHIVE[start : start + 50_000]
        answer = client.patch(url, start, piece)
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(start + len(piece)))
        assert "GMT" in answer.headers["Upload-Expires"]
    image = uploads.image(id_of(url), "admin", NOW)
    assert image.received == hashlib.sha256(ARCHIVE).hexdigest()
    assert client.offset(url) == len(ARCHIVE)


def test_how_much_is_there_is_told_with_what_was_announced(client: Client) -> None:
    name = "授权 №1.tar"
    metadata = f"filename {b64encode(name.encode()).decode()},mark {b64encode(b'a mark').decode()}"
    url = client.create(metadata=metadata)
    client.patch(url, 0, ARCHIVE[:10])
    answer = client.head(url)
    assert answer.status_code == 200
    assert answer.headers["Upload-Offset"] == "10"
    assert answer.headers["Upload-Length"] == str(len(ARCHIVE))
    assert answer.headers["Upload-Metadata"] == metadata
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_name_that_cannot_be_read_refuses_no_file(client: Client) -> None:
    for metadata in ("filename", "filename /w==", "filename =", "filename x, ,,mark", "filename \xe9"):
        url = client.create(metadata=metadata)
        assert client.head(url).status_code == 200, metadata
        client.call("DELETE", url)


def test_the_first_bytes_may_come_with_the_announcement(client: Client) -> None:
    headers = {"Upload-Length": str(len(ARCHIVE)), "Content-Type": CONTENT}
    answer = client.call("POST", "/uploads/", headers, ARCHIVE[:1000])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, "1000")
    assert client.offset(answer.headers["Location"]) == 1000


def test_a_length_that_makes_no_sense_is_refused(client: Client) -> None:
    for length in NONSENSE:
        answer = client.call("POST", "/uploads/", {"Upload-Length": length})
        assert answer.status_code == 400, length
        assert "Upload-Length" in answer.text


def test_a_length_that_is_said_later_is_refused(client: Client) -> None:
    assert client.call("POST", "/uploads/", {"Upload-Defer-Length": "1"}).status_code == 400


def test_an_offset_that_makes_no_sense_is_refused(client: Client) -> None:
    url = client.create()
    for offset in NONSENSE:
        answer = client.call("PATCH", url, {"Upload-Offset": offset, "Content-Type": CONTENT}, b"x")
        assert answer.status_code == 400, offset
    assert client.offset(url) == 0


def test_more_than_four_gib_is_too_large_and_nothing_is_empty(client: Client) -> None:
    answer = client.call("POST", "/uploads/", {"Upload-Length": str((4 << 30) + 1)})
    assert answer.status_code == 413
    assert "too large" in answer.text
    assert client.call("POST", "/uploads/", {"Upload-Length": "0"}).status_code == 422


def test_another_offset_is_told_where_the_upload_goes_on(client: Client) -> None:
    url = client.create()
    client.patch(url, 0, ARCHIVE[:10])
    answer = client.patch(url, 5, ARCHIVE[5:20])
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (409, "10")
    assert "10 bytes" in answer.text


def test_more_than_was_announced_is_too_large_and_not_read(client: Client) -> None:
    url = client.create(10)
    assert client.patch(url, 0, bytes(11)).status_code == 413
    assert client.offset(url) == 0


def test_another_kind_of_content_is_refused(client: Client) -> None:
    url = client.create()
    for kind in ("application/octet-stream", "text/plain", ""):
        assert client.patch(url, 0, b"x", Content_Type=kind).status_code == 415
    assert client.offset(url) == 0


def test_while_another_adds_to_it_one_is_asked_to_try_again(client: Client, uploads: FolderUploads) -> None:
    url = client.create()
    with uploads.append(id_of(url), "admin", 0, NOW):
        answer = client.patch(url, 0, ARCHIVE[:10])
    assert answer.status_code == 423
    assert int(answer.headers["Retry-After"]) > 0
    assert "another connection" in answer.text
    assert client.patch(url, 0, ARCHIVE[:10]).status_code == 204


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_a_piece_is_kept_when_its_checksum_is_right(client: Client, name: str) -> None:
    url = client.create()
    answer = client.patch(url, 0, ARCHIVE[:70_000], Upload_Checksum=checksum(ARCHIVE[:70_000], name))
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, "70000")


@pytest.mark.parametrize("name", ["sha1", "sha256"])
def test_a_piece_is_not_kept_when_its_checksum_is_wrong(client: Client, uploads: FolderUploads, name: str) -> None:
    url = client.create()
    client.patch(url, 0, ARCHIVE[:100])
    answer = client.patch(url, 100, bytes(70_000), Upload_Checksum=checksum(b"other", name))
    assert answer.status == "460 Checksum Mismatch"
    assert client.offset(url) == 100
    client.patch(url, 100, ARCHIVE[100:])
    assert uploads.image(id_of(url), "admin", NOW).received_size == len(ARCHIVE)


def test_a_checksum_that_makes_no_sense_is_refused(client: Client) -> None:
    url, good = client.create(), checksum(b"x")
    for given in ("", "sha1", "sha1 ", "md5 MTIz", "sha1 !!", "sha1 \xe9", f"{good},{good}"):
        assert client.patch(url, 0, b"x", Upload_Checksum=given).status_code == 400, given
    assert client.offset(url) == 0


def test_a_removed_upload_is_gone(client: Client) -> None:
    url = client.create()
    client.patch(url, 0, ARCHIVE[:10])
    assert client.call("DELETE", url).status_code == 204
    for answer in (client.head(url), client.patch(url, 10, b"x"), client.call("DELETE", url)):
        assert answer.status_code == 404


@pytest.mark.parametrize("url", ["/uploads/nothing", f"/uploads/{'0' * 32}", "/uploads/..%2f..%2fstore.db"])
def test_what_is_not_there_says_so(client: Client, url: str) -> None:
    for method in ("HEAD", "PATCH", "DELETE"):
        headers = {"Upload-Offset": "0", "Content-Type": CONTENT}
        answer = client.call(method, url, headers)
        assert answer.status_code == 404
        assert answer.headers["Tus-Resumable"] == "1.0.0"


def test_an_upload_is_there_for_its_owner_alone(client: Client, uploads: FolderUploads) -> None:
    now = NOW
    url = f"/uploads/{uploads.create('another', 10, 'x.tar', '', now).id}"
    for answer in (client.head(url), client.patch(url, 0, b"x"), client.call("DELETE", url)):
        assert answer.status_code == 404
    assert client.call("GET", f"{url}/passport").status_code == 404
    assert uploads.find(id_of(url), "another", now).offset == 0


def test_post_stands_for_what_it_says_it_stands_for(client: Client) -> None:
    url = client.create()
    headers = {"X-HTTP-Method-Override": "PATCH", "Upload-Offset": "0", "Content-Type": CONTENT}
    assert client.call("POST", url, headers, ARCHIVE[:10]).status_code == 204
    assert client.call("POST", url, {"X-HTTP-Method-Override": "HEAD"}).headers["Upload-Offset"] == "10"
    assert client.call("POST", url).status_code == 405
    assert client.call("POST", url, {"X-HTTP-Method-Override": "GET"}).status_code == 405
    assert client.call("POST", url, {"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert client.head(url).status_code == 404


def test_only_post_stands_for_something_else(client: Client) -> None:
    url = client.create()
    assert client.call("HEAD", url, {"X-HTTP-Method-Override": "DELETE"}).status_code == 200
    assert client.head(url).status_code == 200


def test_another_version_of_the_protocol_is_refused(client: Client) -> None:
    url = client.create()
    requests = (("POST", "/uploads/"), ("HEAD", url), ("PATCH", url), ("DELETE", url))
    for version, (method, where) in product((None, "", "0.2.2", "1.0.0,1.0.0"), requests):
        answer = client.call(method, where, {"Tus-Resumable": version, "Upload-Length": "1"})
        assert answer.status_code == 412
        assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    assert client.offset(url) == 0


def test_without_the_token_of_the_session_nothing_is_done(client: Client) -> None:
    url = client.create()
    for token in (None, "wrong"):
        for method, where in (("POST", "/uploads/"), ("PATCH", url), ("DELETE", url), ("POST", url)):
            headers = {"X-CSRFToken": token, "X-HTTP-Method-Override": "DELETE", "Upload-Length": "1"}
            answer = client.call(method, where, headers)
            assert answer.status_code == 400
            assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert client.head(url).status_code == 200


def test_a_stranger_gets_nowhere(app: Flask, client: Client, uploads: FolderUploads) -> None:
    url = client.create()
    for method in ("HEAD", "PATCH", "DELETE", "POST"):
        answer = app.test_client().open(url, method=method, headers={"Tus-Resumable": "1.0.0"})
        assert answer.status_code in (303, 401)
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    assert client.offset(url) == 0


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_nobody_can_do_says_so_and_which_protocol_it_is(client: Client, method: str) -> None:
    answer = client.call(method, client.create())
    assert answer.status_code == 405
    assert answer.headers["Tus-Resumable"] == "1.0.0"


def test_what_is_seen_to_be_no_licence_image_is_refused_with_its_reason(client: Client) -> None:
    nonsense = b"no archive at all" * 1000
    url = client.create(len(nonsense))

    def refusal() -> TestResponse | None:
        answer = client.patch(url, client.offset(url), nonsense[:600])
        return answer if answer.status_code != 204 else None

    first = until(refusal, "the next bytes are refused")
    assert first.status_code == 422
    assert first.mimetype == "text/plain"
    for words in ("This file is not an image archive.", "It does not begin as a tar file does.", "Choose the file"):
        assert words in first.text
    assert client.head(url).status_code == 422
    assert client.patch(url, 10, b"more").text == first.text
    shown = client.call("GET", f"{url}/passport")
    assert shown.status_code == 422
    assert "<h1" in shown.text
    assert "This file is not an image archive." in shown.text


def test_two_uploads_at_once_are_enough(client: Client) -> None:
    client.create()
    client.create()
    answer = client.call("POST", "/uploads/", {"Upload-Length": "5"})
    assert answer.status_code == 422
    assert "Two uploads of yours have not ended yet." in answer.text


def test_only_where_images_arrive_may_a_body_be_large(client: Client) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    token = part % (b"csrf_token", b"", client.token.encode())
    for size, status in (((2 << 20) + 1, 413), (1000, 422)):
        body = token + part % (b"file", b'; filename="image.tar"', bytes(size)) + b"--x--\r\n"
        answer = client.flask.post("/sign-in", data=body, content_type="multipart/form-data; boundary=x")
        assert answer.status_code == status


def test_what_is_seen_of_the_image_is_shown_while_it_arrives(client: Client) -> None:
    url = client.create()
    assert client.call("GET", f"{url}/passport").status_code == 200
    client.patch(url, 0, ARCHIVE[:-1])
    seen = until(lambda: passport(client, url, "Tiān Xià 天下 Ltd."), "the company has been seen")
    for words in ("amd64", "Decision Platform"):
        assert words in seen
    client.patch(url, len(ARCHIVE) - 1, ARCHIVE[-1:])
    until(lambda: passport(client, url, "fanruan_license_server:1.0.0"), "the name has been seen")


def passport(client: Client, url: str, words: str) -> str:
    """What it shows, once these words are in it."""
    text = client.call("GET", f"{url}/passport").text
    return text if words in text else ""
