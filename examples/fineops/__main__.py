"""Serves the sample parent. Its key, and the file for WIZARD_EMBED, are made in a folder of its own."""

import argparse
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from examples.fineops.application import AUDIENCE, ISSUER, Launcher, create_app

CONFIGURATION = """\
[[issuer]]
name = "FineOps"
iss = "{issuer}"
aud = "{audience}"
algorithm = "RS256"
key = "public.pem"
origins = ["{origin}"]
"""
PROJECTS = {"demo-single": "Sales reports", "demo-cluster": "Group reporting"}


def private_key(folder: Path) -> bytes:
    """The one in the folder; made when there is none, for its owner only."""
    path = folder / "private.pem"
    if not path.exists():
        key = rsa.generate_private_key(65537, 3072)
        path.touch(mode=0o600)
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path.read_bytes()


def public_key(private: bytes) -> bytes:
    return (
        load_pem_private_key(private, None).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m examples.fineops", description=__doc__)
    parser.add_argument("--wizard", default="http://127.0.0.1:8000", help="the wizard, as browsers reach it")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--data", type=Path, default=Path("instance/examples-fineops"))
    parser.add_argument("--project", action="append", metavar="SLUG=NAME", help="of the wizard's inventory; repeatable")
    given = parser.parse_args()
    given.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    key, origin = private_key(given.data), f"http://{given.host}:{given.port}"
    (given.data / "public.pem").write_bytes(public_key(key))
    configuration = given.data / "embed.toml"
    configuration.write_text(CONFIGURATION.format(issuer=ISSUER, audience=AUDIENCE, origin=origin))
    projects = dict(project.split("=", 1) for project in given.project) if given.project else PROJECTS
    sys.stdout.write(
        f"Start the wizard with WIZARD_EMBED={configuration.absolute()}, then open {origin}/ops/decision\n"
    )
    create_app(given.wizard, Launcher(private_key=key), projects).run(given.host, given.port)


if __name__ == "__main__":
    main()
