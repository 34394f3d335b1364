"""What the templates draw and print: the QR, and spans of time."""

import qrcode
from flask_babel import gettext as _
from markupsafe import Markup
from qrcode.image.svg import SvgPathImage

from wizard.licensing.rules.limits import MINUTE, SECOND, Millis

QUIET_ZONE = 4
"""Modules of white around it (ISO/IEC 18004)."""


def svg(url: str, label: str) -> Markup:
    """The address as a QR of level M. No style attribute, so that the strict policy holds."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(url)
    picture = code.make_image(image_factory=SvgPathImage)
    root = picture.get_image()
    root.attrib |= {"role": "img", "aria-label": label}
    return Markup(picture.to_string(encoding="unicode"))  # noqa: S704 - attributes are escaped by ElementTree


def left(span: Millis) -> str:
    """The time left, as a clock shows it: 4:12, or 23:59:59. A second that has begun is still there."""
    seconds = max(0, -(-span // SECOND))
    minutes, hours = seconds // 60, seconds // 3600
    return f"{hours}:{minutes % 60:02}:{seconds % 60:02}" if hours else f"{minutes}:{seconds % 60:02}"


def span(span: Millis) -> str:
    """How long, in its largest units. What has begun is counted."""
    if span < MINUTE:
        return str(_("%(seconds)s s", seconds=-(-span // SECOND)))
    return _in_minutes(-(-span // MINUTE))


def ago(span: Millis) -> str:
    """How long ago, in its largest units. Only what is complete is counted."""
    if span < MINUTE:
        return str(_("just now"))
    return str(_("%(span)s ago", span=_in_minutes(span // MINUTE)))


def _in_minutes(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if not hours:
        return str(_("%(minutes)s min", minutes=rest))
    if not rest:
        return str(_("%(hours)s h", hours=hours))
    return str(_("%(hours)s h %(minutes)s min", hours=hours, minutes=rest))
