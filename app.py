"""The composition root: the only file that names concrete classes."""

from flask import Flask

from wizard.flow import Flow
from wizard.ports import Accounts, Services
from wizard.web import furnish


def assemble(
    flow: Flow, services: Services, accounts: Accounts, *, secret_key: str, demonstration_image: str = ""
) -> Flask:
    """The web application over whatever implements the ports: the real things, or fakes."""
    app = Flask(__name__)
    app.secret_key = secret_key
    furnish(app, flow, services, accounts, demonstration_image)
    return app
