"""A line to benches instead of a network, that can be cut."""

from typing import Any, cast

from tests.licensing.server.bench import Bench
from wizard.licensing.client.line import Endpoint, LineError
from wizard.licensing.protocol.messages import Message


def cut(address: str, port: int) -> LineError:
    return LineError("timeout", "There is no answer.", f"{address}:{port}")


class BenchLine:
    """A `Line`: each bench answers at its port.

    `cut`: no request arrives; `deaf`: no answer comes back; `fault`: the answer is an error of the server's own.
    """

    def __init__(self, benches: dict[int, Bench]) -> None:
        self.benches = benches
        self.cut = False
        self.deaf = False
        self.fault = False
        self.sent: list[Message] = []

    def find(self, address: str, port: int) -> Endpoint:
        if self.cut or port not in self.benches:
            raise cut(address, port)
        return Endpoint(address=address, port=port, pin=f"{port:064x}")

    def post(self, endpoint: Endpoint, path: str, message: Message) -> tuple[int, dict[str, Any]]:
        self.sent.append(message)
        bench = self.benches.get(endpoint.port)
        if self.cut or bench is None:
            raise cut(endpoint.address, endpoint.port)
        if self.fault:
            raise LineError("fault", "It has a fault of its own.", str(endpoint))
        response = bench.post(path, message)
        if self.deaf:
            raise cut(endpoint.address, endpoint.port)
        return response.status_code, cast("dict[str, Any]", response.json)
