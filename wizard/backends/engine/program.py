"""The image of the probe: one program of 182 bytes, written by hand, that says how much of the engine's disk is free.

No engine's API says that. The program asks the kernel about its own root, which lies where the engine keeps its images
and containers, and ends with the answer as its exit status. It is for x86_64, as the licence image is (R2).
"""

import hashlib
import io
import json
import struct
import tarfile

ARCHITECTURE = "amd64"
PIECE = 64 << 20
"""Bytes of which the exit status is the number that is free, rounded down."""
MOST = 124
"""The largest number that is said: so many pieces or more. The statuses above it have other meanings."""
CANNOT_SAY = 125

LISTING = (
    ("6a 2f", "push '/'", "the path, ended by the zeros that are pushed with it"),
    ("48 89 e7", "mov rdi, rsp", "which is the first argument"),
    ("48 81 ec 00 02 00 00", "sub rsp, 512", "room for a struct statfs"),
    ("48 89 e6", "mov rsi, rsp", "which is the second"),
    ("b8 89 00 00 00", "mov eax, 137", "statfs(path, buffer)"),
    ("0f 05", "syscall", ""),
    ("bf 7d 00 00 00", "mov edi, 125", "CANNOT_SAY"),
    ("85 c0", "test eax, eax", "0 when it has answered"),
    ("75 18", "jnz exit", ""),
    ("48 8b 7e 20", "mov rdi, [rsi+32]", "f_bavail: free blocks, of those that anybody may use"),
    ("48 0f af 7e 08", "imul rdi, [rsi+8]", "times f_bsize: bytes"),
    ("48 c1 ef 1a", "shr rdi, 26", "divided by PIECE"),
    ("48 83 ff 7c", "cmp rdi, 124", "MOST"),
    ("76 05", "jbe exit", ""),
    ("bf 7c 00 00 00", "mov edi, 124", ""),
    ("b8 3c 00 00 00", "exit: mov eax, 60", "exit(rdi)"),
    ("0f 05", "syscall", ""),
)
"""Machine code, the same in assembler, and what it is for (System V ABI of x86_64; numbers of Linux's system calls)."""

_ADDRESS = 0x400000
_HEADERS = 64 + 56


def program() -> bytes:
    """An ELF file for Linux on x86_64: the two headers that it must have, and the code."""
    code = b"".join(bytes.fromhex(machine_code) for machine_code, _, _ in LISTING)
    size = _HEADERS + len(code)
    identity = b"\x7fELF\x02\x01\x01" + bytes(9)
    file_header = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, _ADDRESS + _HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, 0x1000)
    return identity + file_header + segment + code


def archive(name: str, label: str, token: str) -> tuple[bytes, str]:
    """An archive as `docker load` takes it, and the id of the image. By its label each token has one of its own."""
    layer = _tar({"probe": program()})
    configuration = json.dumps(
        {
            "architecture": ARCHITECTURE,
            "os": "linux",
            "config": {"Entrypoint": ["/probe"], "User": "65532:65532", "Labels": {label: token}},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{}],
        }
    ).encode()
    image_id = hashlib.sha256(configuration).hexdigest()
    manifest = [{"Config": f"{image_id}.json", "RepoTags": [name], "Layers": ["layer/layer.tar"]}]
    members = {
        f"{image_id}.json": configuration,
        "layer/layer.tar": layer,
        "manifest.json": json.dumps(manifest).encode(),
    }
    return _tar(members), f"sha256:{image_id}"


def _tar(members: dict[str, bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return written.getvalue()
