"""When a new licence may take over from an older one (R13, component migration). Pure."""

from collections.abc import Iterable

from wizard.licensing.protocol.config import PrivateConfig
from wizard.licensing.protocol.qr import Keys
from wizard.licensing.vendor.errors import VendorError
from wizard.licensing.vendor.rules import Licence, LicenceState


class ReissueError(VendorError):
    """No new image on the strength of this privateConfig."""


def check_reissue(config: PrivateConfig, old: Licence | None, keys: Keys | None, others: Iterable[Licence]) -> Licence:
    """The licence that may be taken over from; ReissueError otherwise.

    `keys` are what the vendor shares with the instance in the privateConfig, None when it cannot share any; `others`
    are all licences that were issued.
    """
    if old is None:
        raise ReissueError(
            f"The licence {config.licence} in privateConfig is not in these records.",
            "Check that the file came from an installation of this vendor's.",
        )
    if keys is None or not config.is_proven(keys):
        raise ReissueError(
            "This privateConfig was not written by the installation that it names, or was changed since.",
            "Ask for the file as it lies in /app/config of the old authorization application.",
        )
    if old.instance is None:
        raise ReissueError(
            f"The licence {config.licence} never had a code, so there is nothing to take over from.",
            "Let its image be deployed and scanned, wherever it is wanted.",
        )
    if old.instance.hex() != config.instance:
        raise ReissueError(
            f"The licence {config.licence} is bound to another installation than this privateConfig's.",
            "Ask for the privateConfig of the installation that had the codes.",
        )
    _check_that_it_ended(config, old)
    _check_that_nothing_took_over(old, others)
    return old


def _check_that_it_ended(config: PrivateConfig, old: Licence) -> None:
    """Two installations for one contract are never active at a time."""
    if old.state is LicenceState.ACTIVE and not config.is_retired:
        raise ReissueError(
            f"The installation of licence {config.licence} may still be running.",
            f"Once its holder has asked for it, destroy it first: vendor destroy {config.licence}",
        )


def _check_that_nothing_took_over(old: Licence, others: Iterable[Licence]) -> None:
    for other in others:
        if other.claims.supersedes == old.claims.licence and other.state is not LicenceState.DESTROYED:
            licence = other.claims.licence
            raise ReissueError(
                f"The licence {licence} was already issued in its place, on {other.claims.issued_at:%Y-%m-%d}.",
                f"Have that image deployed; if it is lost, destroy it first: vendor destroy {licence}",
            )
