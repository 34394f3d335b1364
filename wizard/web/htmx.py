"""What of a page a request wants: all of it, or the step alone."""

from urllib.parse import urlsplit

from flask import Response, request


def wants_fragment() -> bool:
    """Whether htmx asks for the step alone. A page that the browser restores from its history is wanted whole, and so
    is one that takes the place of the whole page, as behind a link in a frame.
    """
    headers = request.headers
    is_whole = "HX-History-Restore-Request" in headers or headers.get("HX-Request-Type") == "full"
    return headers.get("HX-Request") == "true" and not is_whole


def shown_path() -> str:
    """The path of the page that asks, as its address bar has it; nothing when it does not say."""
    return urlsplit(request.headers.get("HX-Current-URL", "")).path


def go_to(url: str) -> Response:
    """Send the browser to another page, whether a form asked or htmx did."""
    if request.headers.get("HX-Request") == "true":
        return Response(status=204, headers={"HX-Redirect": url})
    return Response(status=303, headers={"Location": url})
