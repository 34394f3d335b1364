"""The peer of the beats: the same gunicorn, TLS, Flask and headers, and an endpoint that does nothing."""

from flask import Flask, request

from wizard.licensing.protocol import api
from wizard.licensing.server.app import harden
from wizard.licensing.server.program import Server
from wizard.licensing.server.settings import parse
from wizard.licensing.server.start import identify
from wizard.licensing.server.timekeeper import read_clocks
from wizard.licensing.server.tls import open_tls

ANSWER: dict[str, object] = {
    "kind": "feedback",
    "body": {"result": "OK", "request": "0" * 64, "down_ms": None},
    "key": "0" * 64,
    "signature": "0" * 128,
}
"""As long as a real one."""


class Peer(Server):
    """Runs as the authorization application runs, with the settings of its gunicorn, and remembers nothing."""

    def load(self) -> Flask:
        app = Flask(__name__)
        app.after_request(harden)
        app.add_url_rule(api.HEALTH, "health", lambda: {"status": "ok"})
        app.add_url_rule(api.BEATS, "beat", beat, methods=["POST"])
        return app


def beat() -> dict[str, object]:
    request.get_data()
    return ANSWER


def main() -> None:
    settings = parse()
    tls = open_tls(settings.tls, settings.config, settings.address, read_clocks().utc)
    Peer(settings, identify(settings), tls).run()


if __name__ == "__main__":
    main()
