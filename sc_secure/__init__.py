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
    from sc_secure.components.artifact_registry import ArtifactRegistryRepository, ArtifactRegistryRepositoryArgs
    from sc_secure.components.attest import AttestCommand
    from sc_secure.components.cloud_run.args import SecuredCloudRunServiceArgs
    from sc_secure.components.cloud_run.service import SecuredCloudRunService
    from sc_secure.components.ecr import EcrRepository, EcrRepositoryArgs
    from sc_secure.components.ecs.args import SecuredEcsServiceArgs
    from sc_secure.components.ecs.service import SecuredEcsService
    from sc_secure.components.image import SecuredImage
    from sc_secure.components.sbom import SbomCommand
    from sc_secure.components.scan import ScanCommand
    from sc_secure.components.sign import SignCommand
    from sc_secure.components.verify import VerifyCommand
    from sc_secure.policy.loading import load_security

_HOMES = {
    "ArtifactRegistryRepository": "components.artifact_registry",
    "ArtifactRegistryRepositoryArgs": "components.artifact_registry",
    "AttestCommand": "components.attest",
    "AttestCommandArgs": "components.args",
    "EcrRepository": "components.ecr",
    "EcrRepositoryArgs": "components.ecr",
    "SbomCommand": "components.sbom",
    "SbomCommandArgs": "components.args",
    "ScanCommand": "components.scan",
    "ScanCommandArgs": "components.args",
    "SecuredCloudRunService": "components.cloud_run.service",
    "SecuredCloudRunServiceArgs": "components.cloud_run.args",
    "SecuredEcsService": "components.ecs.service",
    "SecuredEcsServiceArgs": "components.ecs.args",
    "SecuredImage": "components.image",
    "SecuredImageArgs": "components.args",
    "SignCommand": "components.sign",
    "SignCommandArgs": "components.args",
    "VerifyCommand": "components.verify",
    "VerifyCommandArgs": "components.args",
    "load_security": "policy.loading",
}

__all__ = [
    "ArtifactRegistryRepository",
    "ArtifactRegistryRepositoryArgs",
    "AttestCommand",
    "AttestCommandArgs",
    "EcrRepository",
    "EcrRepositoryArgs",
    "SbomCommand",
    "SbomCommandArgs",
    "ScanCommand",
    "ScanCommandArgs",
    "SecuredCloudRunService",
    "SecuredCloudRunServiceArgs",
    "SecuredEcsService",
    "SecuredEcsServiceArgs",
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
