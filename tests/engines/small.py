"""Licence images that go wrong: each has one program of some twenty bytes, for which a vendor would be ashamed.

An archive is in the older layout of `docker save`, which every engine loads.
"""

import hashlib
import io
import json
import struct
import tarfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from wizard.domain.image import Image

X86_64, AARCH64 = 62, 183
"""Machines, as ELF numbers them."""
LAST_WORDS = "the licence cannot be read\n"
STATUS = 3
_ADDRESS = 0x400000
_HEADERS = 64 + 56
_MEMORY = 1 << 30
"""Bytes that a program may touch: more than any container of ours has."""


def program(code: str, machine: int = X86_64) -> bytes:
    """An ELF file for Linux: two headers, and the code (hexadecimal)."""
    content = bytes.fromhex(code)
    size = _HEADERS + len(content)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    file_header = struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, _ADDRESS + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 7, 0, _ADDRESS, _ADDRESS, size, _MEMORY, 0x1000)
    return identity + file_header + segment + content


ENDS = program(
    "b801000000 bf02000000"  # mov eax, 1 (write); mov edi, 2
    "488d3513000000"  # lea rsi, [rip+19]: the words behind the code
    f"ba{len(LAST_WORDS):02x}000000 0f05"  # mov edx, their length; syscall
    f"b83c000000 bf{STATUS:02x}000000 0f05" + LAST_WORDS.encode().hex()  # mov eax, 60 (exit); mov edi, STATUS; syscall
)
"""Says its last words, and ends."""
IS_SILENT = program("b822000000 0f05 ebf7")  # again: mov eax, 34 (pause); syscall; jmp again
"""Runs, and does nothing."""
NEEDS_MEMORY = program("bf00005000 c60701 4881c700100000 ebf4")  # from 5 MiB on: write a byte, 4 KiB further, again
"""Takes one page after the other, until the kernel ends it."""
IS_FOREIGN = program("", AARCH64)
"""For another machine: it cannot even be begun."""


def small_image(folder: Path, of: Image, content: bytes, architecture: str = "amd64") -> Image:
    """One like the licence image `of`, with that program instead. Its archive lies in the folder under its digest."""
    layer = _tar({"program": content})
    diff_id = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    configuration = json.dumps(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {"Entrypoint": ["/program"]},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
            "history": [{}],
        }
    ).encode()
    image_id = hashlib.sha256(configuration).hexdigest()
    manifest = [{"Config": f"{image_id}.json", "RepoTags": None, "Layers": ["layer/layer.tar"]}]
    archive = _tar(
        {
            f"{image_id}.json": configuration,
            "layer/layer.tar": layer,
            "manifest.json": json.dumps(manifest).encode(),
        }
    )
    digest = hashlib.sha256(archive).hexdigest()
    (folder / digest).write_bytes(archive)
    return replace(of, digest=digest, image_id=image_id, manifest="", size=len(archive))


def _tar(members: Mapping[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()
