"""The example in the package's documentation is run as it stands, against a real process."""

import textwrap
from pathlib import Path

import pytest

import wizard.licensing.client as client
from tests.licensing.issuing import Vendor
from tests.licensing.server.process import ADDRESS, Process, scan


def example() -> str:
    """The indented block after the first `::`."""
    assert client.__doc__ is not None
    block = client.__doc__.partition("::\n\n")[2].partition("\n\nand at the end")[0]
    return textwrap.dedent(block)


def test_the_example_registers_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    vendor = Vendor()
    process = Process(tmp_path / "server", vendor, registrations=2)
    try:
        assert scan(process, vendor) == "accepted"
        code = example().replace("192.168.1.5", ADDRESS).replace("18081", str(process.port))
        namespace: dict[str, object] = {}
        exec(code.replace("/var/lib/sales", str(tmp_path / "sales")), namespace)  # noqa: S102 - our own words
        heart = namespace["heart"]
        assert isinstance(heart, client.Heartbeat)
        heart.stop()
    finally:
        process.end()
    assert capsys.readouterr().out == "node-a CONNECTED None\nnode-b CONNECTED None\n"


def test_all_that_can_be_imported_is_documented() -> None:
    assert client.__doc__ is not None
    assert {name for name in client.__all__ if f"`{name}" not in client.__doc__} == set()
