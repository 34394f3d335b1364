"""The web: blueprints, one a surface. They know no step by name."""

from flask import Flask

from wizard.flow import Flow
from wizard.ports import Accounts, Services
from wizard.web import account, health, language, nodes, problems, security, uploads, wizard


def furnish(app: Flask, flow: Flow, services: Services, accounts: Accounts, demonstration_image: str = "") -> None:
    """Give the application its surfaces. `demonstration_image` is the URL of an image to try, where there is one."""
    app.register_blueprint(account.blueprint(accounts, services.clock))  # first: it asks who it is before anything else
    security.protect(app)
    language.speak(app)
    problems.handle(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["demonstration_image"] = demonstration_image
    app.register_blueprint(health.blueprint())
    app.register_blueprint(nodes.blueprint(services))
    app.register_blueprint(uploads.blueprint(services))
    app.register_blueprint(wizard.blueprint(flow, services))
