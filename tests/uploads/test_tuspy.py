"""tuspy, the Python client of the tus project, against the product's web process."""

import io
from pathlib import Path
from typing import Any, BinaryIO

from tusclient.client import TusClient
from tusclient.uploader.uploader import Uploader

from tests.uploads.images import MEBIBYTE, sha256_of
from tests.uploads.site import Admin, Site

PIECE = 5 * MEBIBYTE


def uploader(admin: Admin, file: BinaryIO, **options: Any) -> Uploader:
    client = TusClient(f"{admin.url}/uploads/", headers=admin.headers)
    return client.uploader(file_stream=file, metadata={"filename": "授权.tar"}, **{"chunk_size": PIECE} | options)


def ensure_taken(site: Site, admin: Admin, upload: Uploader, image: Path) -> None:
    verdict = admin.submit(str(upload.url))
    assert verdict.status == 200, verdict.text
    taken = site.image(verdict.registration)
    assert (taken.received, taken.filename) == (sha256_of(image), "授权.tar")


def test_it_uploads_pauses_and_resumes(site: Site, admin: Admin, image: Path) -> None:
    with image.open("rb") as file:
        first = uploader(admin, file)
        first.upload(stop_at=2 * PIECE)
        assert first.offset == 2 * PIECE
        second = uploader(admin, file, url=first.url, chunk_size=7 * MEBIBYTE)
        assert second.offset == 2 * PIECE
        second.upload()
    ensure_taken(site, admin, first, image)


def test_it_uploads_with_checksums(site: Site, admin: Admin, image: Path) -> None:
    with image.open("rb") as file:
        upload = uploader(admin, file, upload_checksum=True)
        upload.upload()
    ensure_taken(site, admin, upload, image)


def test_it_uploads_in_one_piece(site: Site, admin: Admin, image: Path) -> None:
    with image.open("rb") as file:
        upload = uploader(admin, file, chunk_size=1 << 40)
        upload.upload()
    ensure_taken(site, admin, upload, image)


def test_what_is_no_image_is_refused_in_the_end(admin: Admin) -> None:
    upload = uploader(admin, io.BytesIO(b"no archive" * 1000))
    upload.upload()
    verdict = admin.submit(str(upload.url))
    assert verdict.status == 422
    assert "not an image archive" in verdict.text
