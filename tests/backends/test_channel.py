"""Whatever is at the other end of the way to an engine: it is said in plain words, in time, and costs no memory."""

import itertools
import ssl
import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.backends.fake_engine import Answer, FakeEngine, fake_engine, http, says, speaks, version
from tests.engines.certificates import Authority
from tests.factories import a_node
from wizard.backends.engine.channel import Channel
from wizard.backends.engine.client import LARGEST_ANSWER
from wizard.domain.engine import Engine
from wizard.errors import BackendError

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <:ResourceWarning")

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
MEGABYTE = b" " * (1 << 20)


def a_channel(url: str, tls: Path | None = None) -> Channel:
    return Channel(a_node(), Engine(url=url, tls=tls))


def refusal_of(url: str, tls: Path | None = None, ask: str = "ping", seconds: float = 1) -> BackendError:
    """What is said when the engine is asked that, with a second for each part of the answer."""
    with pytest.raises(BackendError) as refusal, a_channel(url, tls).open(seconds) as engine:
        getattr(engine, ask)()
    assert str(refusal.value.problem.happened)
    assert refusal.value.problem.todo is not None
    return refusal.value


def endless(piece: bytes) -> Callable[[FakeEngine], Answer]:
    return lambda engine: lambda head: itertools.chain([piece], itertools.repeat(MEGABYTE))


NO_ENGINE: dict[str, Callable[[FakeEngine], Answer]] = {
    "a page": says(http(b"<html><body>Welcome!</body></html>")),
    "a list": says(http(b"[]")),
    "no version": says(http(b"{}")),
    "a version that is none": says(version(ApiVersion="newest")),
    "half an answer in JSON": says(http(b'{"ApiVersion": "1.4')),
    "a deep answer": says(http(b"[" * 200_000)),
    "an error that is none of an engine": says(http(b"[]", "500 Internal Server Error")),
    "no HTTP": says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
    "a huge answer": endless(HEAD + b"Content-Length: 1000000000000\r\n\r\n"),
    "a huge error": endless(b"HTTP/1.1 500 Error\r\nContent-Length: 1000000000000\r\n\r\n"),
    "an answer without an end": lambda engine: (
        lambda head: itertools.chain([CHUNKED], itertools.repeat(b"100000\r\n" + MEGABYTE + b"\r\n"))
    ),
    "headers without an end": lambda engine: lambda head: itertools.chain([HEAD], itertools.repeat(b"X: x\r\n")),
    "a header without an end": endless(HEAD + b"X: "),
    "an answer that drips": lambda engine: (
        lambda head: itertools.chain([HEAD + b"Content-Length: 1000\r\n\r\n"], engine.drip())
    ),
}


@pytest.mark.parametrize("answer", NO_ENGINE.values(), ids=NO_ENGINE)
def test_what_is_no_engine_is_said_to_be_none(answer: Callable[[FakeEngine], Answer]) -> None:
    with fake_engine(answer) as fake:
        began = time.monotonic()
        refusal = refusal_of(fake.url)
    assert time.monotonic() - began < 4
    assert "is no engine" in str(refusal.problem.happened)
    assert refusal.permanent
    assert 0 < len(refusal.problem.raw) < 1000


def test_an_answer_without_an_end_takes_no_memory() -> None:
    with fake_engine(NO_ENGINE["an answer without an end"]) as fake:
        tracemalloc.start()
        refusal_of(fake.url)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 4 * LARGEST_ANSWER


SLOW: dict[str, Callable[[FakeEngine], Answer]] = {
    "half open from the start": lambda engine: lambda head: engine.silence(),
    "half open after its version": speaks(lambda engine: engine.silence()),
    "half open in the middle of an answer": speaks(
        lambda engine: itertools.chain([HEAD + b"Content-Length: 9\r\n\r\n{"], engine.silence())
    ),
    "gone at once": says(b""),
    "gone in the middle of an answer": says(HEAD + b"Content-Length: 1000\r\n\r\n{"),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
def test_an_engine_that_does_not_answer_is_said_so_in_time_and_asked_again(
    answer: Callable[[FakeEngine], Answer],
) -> None:
    with fake_engine(answer) as fake:
        began = time.monotonic()
        refusal = refusal_of(fake.url)
    assert time.monotonic() - began < 4
    assert "does not answer" in str(refusal.problem.happened)
    assert not refusal.permanent


def test_nobody_there_is_an_engine_that_does_not_answer() -> None:
    with fake_engine(says(b"")) as fake:
        url = fake.url
    assert "does not answer" in str(refusal_of(url).problem.happened)
    assert "does not answer" in str(refusal_of("unix:///nowhere/engine.sock").problem.happened)


@pytest.mark.parametrize("program", ["ssh", "setpriv"])
def test_a_program_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    for name in {"ssh", "setpriv"} - {program}:
        (tmp_path / name).touch(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    channel = Channel(a_node(), Engine(url="ssh://root@127.0.0.1", ssh=tmp_path))
    with pytest.raises(BackendError) as refusal, channel.open():
        pass
    assert f"The program {program} is not there" in str(refusal.value.problem.happened)
    assert refusal.value.permanent


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Moved", "308 Moved"])
@pytest.mark.parametrize("speaking", [says, lambda answer: speaks(lambda engine: [answer])], ids=["first", "later"])
def test_no_redirect_is_followed(status: str, speaking: Callable[[bytes], Callable[[FakeEngine], Answer]]) -> None:
    with fake_engine(says(version())) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/version"
        with fake_engine(speaking(http(b"", status, location))) as fake:
            refusal = refusal_of(fake.url)
    assert "points elsewhere" in refusal.problem.raw
    assert elsewhere.heads == []


def test_what_comes_with_a_redirect_is_not_read() -> None:
    head = b"HTTP/1.1 302 Found\r\nLocation: /version\r\nContent-Length: 1000000000000\r\n\r\n"
    with fake_engine(endless(head)) as fake:
        assert "points elsewhere" in refusal_of(fake.url).problem.raw


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ApiVersion": "1.40"}, "too old"),
        ({"ApiVersion": "1.60", "MinAPIVersion": "1.52"}, "too new"),
    ],
)
def test_an_engine_that_is_too_old_or_too_new_is_said_to_be(changes: dict[str, object], words: str) -> None:
    with fake_engine(says(version(**changes))) as fake:
        refusal = refusal_of(fake.url)
    assert words in str(refusal.problem.happened)
    assert refusal.permanent


@pytest.mark.parametrize(
    ("changes", "spoken"),
    [({"ApiVersion": "1.44"}, b"/v1.44/"), ({"ApiVersion": "1.60", "MinAPIVersion": "1.44"}, b"/v1.51/")],
)
def test_the_newest_version_that_both_speak_is_spoken(changes: dict[str, object], spoken: bytes) -> None:
    with fake_engine(says(version(**changes))) as fake, a_channel(fake.url).open() as engine:
        engine.version()
    assert spoken in fake.heads[-1]


def test_an_engine_that_was_replaced_by_an_older_one_is_asked_for_its_version_again() -> None:
    refused = http(b'{"message": "client version 1.51 is too new"}', "400 Bad Request")
    answers = iter([version(ApiVersion="1.51"), refused, version(ApiVersion="1.41"), version(ApiVersion="1.41")])
    with fake_engine(lambda engine: lambda head: [next(answers)]) as fake:
        channel = a_channel(fake.url)
        with pytest.raises(BackendError) as refusal, channel.open() as engine:
            engine.version()
        assert not refusal.value.permanent
        with channel.open() as engine:
            engine.version()
    assert b"/v1.41/" in fake.heads[-1]


def endless_stream(engine: FakeEngine) -> Iterable[bytes]:
    """One message, which never ends; and a chunk of it that is said to be of a terabyte."""
    return itertools.chain([CHUNKED, b'E8D4A51000\r\n{"stream": "'], itertools.repeat(MEGABYTE))


def test_a_load_that_says_more_than_anybody_can_keep_is_ended() -> None:
    with fake_engine(speaks(endless_stream)) as fake:
        tracemalloc.start()
        with pytest.raises(BackendError) as refusal, a_channel(fake.url).open() as engine:
            list(engine.load_image(b""))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert "longer than" in refusal.value.problem.raw
    assert peak < 4 * LARGEST_ANSWER


def test_a_load_is_heard_message_by_message() -> None:
    stream = b'{"stream": "one"}\r\n{"stream": "two"}\n{"error": "no space"}'
    answer = CHUNKED + b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in stream) + b"0\r\n\r\n"
    with fake_engine(speaks(lambda engine: [answer])) as fake, a_channel(fake.url).open() as engine:
        assert list(engine.load_image(b"")) == [{"stream": "one"}, {"stream": "two"}, {"error": "no space"}]


def test_a_file_that_stops_on_its_way_is_not_waited_for_for_ever() -> None:
    """docker-py takes the time-out off for what it calls a raw stream."""
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nX-Docker-Container-Path-Stat: e30=\r\n\r\n")
    stops = speaks(lambda engine: itertools.chain([head + b"5\r\nhello\r\n"], engine.silence()))
    with fake_engine(stops) as fake:
        began = time.monotonic()
        with pytest.raises(BackendError), a_channel(fake.url).open(1) as engine:
            list(engine.get_archive("one", "/app/config/tls.pin")[0])
        assert time.monotonic() - began < 4


def test_patience_is_for_the_work_and_not_for_an_engine_that_is_not_there() -> None:
    """The version is known already: it is asked for again before anything is waited for longer."""
    with fake_engine(says(version())) as fake, a_channel(fake.url).open(300) as engine:
        assert engine.timeout == 300
        assert len(fake.heads) == 1


@pytest.fixture
def tls(tmp_path: Path) -> tuple[Authority, Path, ssl.SSLContext]:
    """An authority, the folder of a client that it knows, and what an engine of it needs."""
    authority = Authority(tmp_path / "tls")
    return authority, a_client(authority, tmp_path / "tls"), a_server(authority)


def a_client(authority: Authority, folder: Path) -> Path:
    pair = authority.client("wizard")
    pair.certificate.rename(folder / "cert.pem")
    pair.key.rename(folder / "key.pem")
    return folder


def a_server(authority: Authority, valid_days: int = 1) -> ssl.SSLContext:
    pair = authority.server("engine", "127.0.0.1", timedelta(days=valid_days))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(pair.authority)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


Parties = tuple[Authority, Path, ssl.SSLContext]


def test_who_has_the_certificates_is_spoken_to(tls: Parties) -> None:
    _, folder, context = tls
    with fake_engine(says(version()), context) as fake, a_channel(fake.url, folder).open() as engine:
        assert engine.version()["Version"] == "20.10.24"


def test_an_engine_of_another_authority_is_not_spoken_to(tls: Parties, tmp_path: Path) -> None:
    with fake_engine(says(version()), a_server(Authority(tmp_path / "another"))) as fake:
        refusal = refusal_of(fake.url, tls[1])
    assert "does not vouch for" in str(refusal.problem.happened)
    assert refusal.permanent
    assert fake.heads == []


def test_an_engine_whose_certificate_is_for_another_address_is_not_spoken_to(tls: Parties) -> None:
    pair = tls[0].server("elsewhere", "127.0.0.9")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    with fake_engine(says(version()), context) as fake:
        assert "does not vouch for" in str(refusal_of(fake.url, tls[1]).problem.happened)
    assert fake.heads == []


def test_a_certificate_that_has_expired_is_said_to_have(tls: Parties) -> None:
    with fake_engine(says(version()), a_server(tls[0], valid_days=-1)) as fake:
        assert "expired" in str(refusal_of(fake.url, tls[1]).problem.happened)


def test_an_engine_that_does_not_know_the_wizard_says_so(tls: Parties, tmp_path: Path) -> None:
    """The engine is of the right authority, and the wizard's certificate of another."""
    another = a_client(Authority(tmp_path / "another"), tmp_path / "another")
    (another / "ca.pem").write_bytes((tls[1] / "ca.pem").read_bytes())
    with fake_engine(says(version()), tls[2]) as fake:
        refusal = refusal_of(fake.url, another)
    assert "does not accept the certificate" in str(refusal.problem.happened)
    assert refusal.permanent


def test_tls_to_a_port_without_it_is_said_to_be_that(tls: Parties) -> None:
    with fake_engine(says(http(b"Client sent an odd request", "400 Bad Request"))) as fake:
        assert "does not speak TLS" in str(refusal_of(fake.url, tls[1]).problem.happened)


def test_a_port_with_tls_that_is_asked_without_it_is_said_to_be_that() -> None:
    words = b"Client sent an HTTP request to an HTTPS server.\n"
    with fake_engine(says(http(words, "400 Bad Request"))) as fake:
        assert "expects TLS" in str(refusal_of(fake.url).problem.happened)


@pytest.mark.parametrize("name", ["ca.pem", "cert.pem", "key.pem"])
def test_a_file_that_is_no_certificate_is_said_to_be_none(tls: Parties, name: str) -> None:
    (tls[1] / name).write_text("no certificate")
    with fake_engine(says(version()), tls[2]) as fake:
        assert "are no certificates" in str(refusal_of(fake.url, tls[1]).problem.happened)


def test_a_handshake_that_never_comes_is_given_up_in_time(tls: Parties) -> None:
    with fake_engine(lambda engine: lambda head: engine.silence()) as fake:
        began = time.monotonic()
        refusal = refusal_of(fake.url, tls[1])
        assert time.monotonic() - began < 4
    assert "does not answer" in str(refusal.problem.happened)


def test_nothing_of_the_environment_changes_anything(
    tls: Parties, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, folder, context = tls
    with fake_engine(says(http(b""))) as trap, fake_engine(says(version()), context) as fake:
        Authority(tmp_path / "another")
        another = str(tmp_path / "another" / "ca.pem")
        (tmp_path / "config.json").write_text('{"HttpHeaders": {"X-Mine": "1"}, "proxies": [], "auths": "none"}')
        (tmp_path / ".docker").symlink_to(tmp_path)
        (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
        (tmp_path / ".netrc").chmod(0o600)
        place = f"http://127.0.0.1:{trap.port}"
        settings = {
            **dict.fromkeys(("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"), another),
            **dict.fromkeys(
                ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"), place
            ),
            **dict.fromkeys(("HOME", "DOCKER_CONFIG", "DOCKER_CERT_PATH"), str(tmp_path)),
            "DOCKER_HOST": place.replace("http", "tcp"),
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_API_VERSION": "1.12",
            "NETRC": str(tmp_path / ".netrc"),
            "NO_PROXY": "",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with a_channel(fake.url, folder).open() as engine:
            assert engine.version()["Version"] == "20.10.24"
    assert trap.heads == []
    for head in fake.heads:
        assert b"authorization" not in head.lower()
        assert b"X-Mine" not in head
        assert b"/v1.12/" not in head
