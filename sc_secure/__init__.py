"""Build a container image, catalogue, scan, sign and attest it, and deploy only what passed: as Pulumi components.

The public names are loaded on first use, so that the command line, which never needs Pulumi, starts fast.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sc_secure._version import __version__

if TYPE_CHECKING:
    from sc_secure.components.args import (
        AttestCommandArgs,
        SbomCommandArgs,
        ScanCommandArgs,
        SecuredImageArgs,
        SignCommandArgs,
        VerifyCommandArgs,
    )
    from sc_secure.components.attest import AttestCommand
    from sc_secure.components.image import SecuredImage
    from sc_secure.components.sbom import SbomCommand
    from sc_secure.components.scan import ScanCommand
    from sc_secure.components.sign import SignCommand
    from sc_secure.components.verify import VerifyCommand
    from sc_secure.policy.loading import load_security

_HOMES = {
    "AttestCommand": "components.attest",
    "AttestCommandArgs": "components.args",
    "SbomCommand": "components.sbom",
    "SbomCommandArgs": "components.args",
    "ScanCommand": "components.scan",
    "ScanCommandArgs": "components.args",
    "SecuredImage": "components.image",
    "SecuredImageArgs": "components.args",
    "SignCommand": "components.sign",
    "SignCommandArgs": "components.args",
    "VerifyCommand": "components.verify",
    "VerifyCommandArgs": "components.args",
    "load_security": "policy.loading",
}

__all__ = [
    "AttestCommand",
    "AttestCommandArgs",
    "SbomCommand",
    "SbomCommandArgs",
    "ScanCommand",
    "ScanCommandArgs",
    "SecuredImage",
    "SecuredImageArgs",
    "SignCommand",
    "SignCommandArgs",
    "VerifyCommand",
    "VerifyCommandArgs",
    "__version__",
    "load_security",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
