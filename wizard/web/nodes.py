"""The nodes of the inventory, and how the worker last saw them."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from wizard.ports import Services


def blueprint(services: Services) -> Blueprint:
    pages = Blueprint("nodes", __name__)

    @pages.get("/nodes")
    def index() -> ResponseReturnValue:
        return render_template(
            "nodes.html",
            projects=services.inventory.projects(),
            engines=services.inventory.engines,
            healths=services.store.healths(),
        )

    return pages
