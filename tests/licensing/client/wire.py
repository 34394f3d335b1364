"""A line to benches instead of a network, that can be cut."""

from typing import Any, cast

from tests.licensing.server.bench import Bench
from wizard.licensing.client.line import Endpoint, LineError
from wizard.licensing.protocol.messages import Message

CUT = LineError("timeout", "There is no answer.")


class BenchLine:
    """A `Line`: each bench answers at its port. `cut`: no request arrives; `deaf`: no answer comes back."""

    def __init__(self, benches: dict[int, Bench]) -> None:
        self.benches = benches
        self.cut = False
        self.deaf = False
        self.sent: list[Message] = []

    def find(self, address: str, port: int) -> Endpoint:
        if self.cut or port not in self.benches:
            raise CUT
        return Endpoint(address=address, port=port, pin=f"{port:064x}")

    def post(self, endpoint: Endpoint, path: str, message: Message) -> tuple[int, dict[str, Any]]:
        self.sent.append(message)
        if self.cut:
            raise CUT
        response = self.benches[endpoint.port].post(path, message)
        if self.deaf:
            raise CUT
        return response.status_code, cast("dict[str, Any]", response.json)
