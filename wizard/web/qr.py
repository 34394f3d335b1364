"""A QR code as SVG to be put into a page: no style attribute, so the strict policy holds."""

from io import BytesIO

import qrcode
from markupsafe import Markup
from qrcode.image.svg import SvgPathImage

QUIET_ZONE = 4
"""Modules of white around it (ISO/IEC 18004)."""


def svg(address: str, label: str) -> Markup:
    """The address as a QR code of level M, for `role=img` with that label."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(address)
    code.make(fit=True)
    out = BytesIO()
    code.make_image(image_factory=SvgPathImage).save(out)
    picture = out.getvalue().decode().partition("<svg ")[2]
    return Markup('<svg role="img" class="qr" aria-label="{}" {}').format(label, Markup(picture))  # noqa: S704
