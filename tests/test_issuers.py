"""The file of the applications that may show the wizard: what it takes, and what is wrong in one clear line."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.embedding import SECRET, configured, private_key, public_key
from wizard.domain.launch import Algorithm
from wizard.issuers import read
from wizard.settings import BadSetting

ORIGIN = "http://fineops.example.com:8080"
SHORT = rsa.generate_private_key(65537, 1024)  # noqa: S505  # to be refused


def changed(folder: Path, before: str, after: str) -> Path:
    """The file with something else in it."""
    file = configured(folder, ORIGIN)
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))
    return file


@pytest.mark.parametrize("algorithm", Algorithm)
def test_an_issuer_has_one_algorithm_and_its_key(tmp_path: Path, algorithm: Algorithm) -> None:
    [issuer], is_https = read(configured(tmp_path, ORIGIN, algorithm))
    assert (issuer.algorithm, issuer.key, issuer.origins) == (algorithm, public_key(algorithm), (ORIGIN,))
    assert not is_https


@pytest.mark.parametrize("url", ["https://wizard.example.com", "https://10.0.0.5:8443/"])
def test_the_address_of_the_wizard_tells_whether_browsers_come_by_https(tmp_path: Path, url: str) -> None:
    assert read(configured(tmp_path, ORIGIN, url=url))[1]


@pytest.mark.parametrize(
    "origin", ["http://10.0.0.5", "https://ops.example.com", "http://[fd00::5]:8080", "http://localhost:1"]
)
def test_an_origin_is_taken_as_a_browser_writes_it(tmp_path: Path, origin: str) -> None:
    [issuer], _ = read(configured(tmp_path, origin))
    assert issuer.origins == (origin,)


@pytest.mark.parametrize(
    "origin",
    [
        *(
            "*",
            "null",
            "",
            "http://*.example.com",
            "http://a.example.com/",
            "http://a.example.com/ops",
            "a.example.com",
        ),
        *("HTTP://a.example.com", "http://A.example.com", "ftp://a.example.com", "http://a.example.com:0"),
        *(
            "http://a.example.com:65536",
            "http://a.example.com:80",
            "https://a.example.com:443",
            "http://u@a.example.com",
        ),
        *("http://a.example.com; script-src *", "http://a.example.com 'self'", "data:", "http://"),
    ],
)
def test_anything_else_is_no_origin(tmp_path: Path, origin: str) -> None:
    with pytest.raises(BadSetting, match=r"WIZARD_EMBED: issuer\[0\].origins\[0\]: "):
        read(configured(tmp_path, origin))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("[[issuer]]", "[[", "is not TOML"),
        ("[[issuer]]", "[issuer]", "names no issuer"),
        ('name = "FineOps"\n', "", r"issuer\[0\].name is missing"),
        ("origins = ", "origin = ", r"issuer\[0\].origins is missing"),
        (f'["{ORIGIN}"]', "[]", "not a list of at least one origin"),
        (f'["{ORIGIN}"]', f'"{ORIGIN}"', "not a list of at least one origin"),
        ('name = "FineOps"', "name = 7", r"issuer\[0\].name is not a text"),
        ("[[issuer]]\n", '[[issuer]]\nkid = "1"\n', r"issuer\[0\].kid is not known here"),
        ("[[issuer]]\n", "port = 1\n[[issuer]]\n", "port is not known here"),
        ('"RS256"', '"none"', "'none', and none of these: RS256, ES256, HS256"),
        ('"RS256"', '"RS512"', "'RS512', and none of these"),
        ('"RS256"', '"ES256"', "no key for ES256, which takes a key on the curve P-256"),
        ('"RS256"', '"HS256"', "HS256 takes a secret, and this is a key of another kind"),
        ("fineops.key", "nowhere.key", "nowhere.key cannot be read"),
        ('url = ""', 'url = "https://wizard.example.com/path"', "url is no address"),
        ('url = ""', "url = 7", "url is no address"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(tmp_path: Path, before: str, after: str, words: str) -> None:
    with pytest.raises(BadSetting, match=f"WIZARD_EMBED: .*{words}") as refused:
        read(changed(tmp_path, before, after))
    assert "\n" not in refused.value.message or words == "is not TOML"


def test_two_issuers_are_told_apart_by_their_iss(tmp_path: Path) -> None:
    file = configured(tmp_path, ORIGIN)
    table = file.read_text().partition("\n")[2]
    file.write_text(table + table)
    with pytest.raises(BadSetting, match=r"issuer\[1\].iss is .*, as of an issuer before"):
        read(file)


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(
    ("algorithm", "key", "words"),
    [
        (Algorithm.RS256, private_key(Algorithm.RS256), "is a private key, which stays with the issuer"),
        (Algorithm.RS256, b"no key", "is no public key in PEM form"),
        (Algorithm.RS256, pem(SHORT), "an RSA key of at least 2048 bits"),
        (Algorithm.ES256, pem(ec.generate_private_key(ec.SECP384R1())), "a key on the curve P-256"),
        (Algorithm.HS256, SECRET[:31], "the secret has 31 bytes; HS256 needs at least 32"),
        (Algorithm.HS256, b"ssh-rsa AAAA" + bytes(64), "a key of another kind"),
    ],
)
def test_a_key_that_does_not_fit_is_refused(tmp_path: Path, algorithm: Algorithm, key: bytes, words: str) -> None:
    file = configured(tmp_path, ORIGIN, algorithm)
    (tmp_path / "fineops.key").write_bytes(key)
    with pytest.raises(BadSetting, match=words):
        read(file)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be read"):
        read(tmp_path / "nowhere.toml")
