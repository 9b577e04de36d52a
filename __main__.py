"""The package as a Pulumi plugin (see PulumiPlugin.yaml): serves the components to programs in any language."""

import sys

import pulumi

from sc_secure import (
    ArtifactRegistryRepository,
    AttestCommand,
    EcrRepository,
    SbomCommand,
    ScanCommand,
    SecuredCloudRunService,
    SecuredEcsService,
    SecuredImage,
    SignCommand,
    VerifyCommand,
    __version__,
)
from sc_secure.components._host import serve

COMPONENTS: list[type[pulumi.ComponentResource]] = [
    SecuredImage,
    SbomCommand,
    ScanCommand,
    SignCommand,
    AttestCommand,
    VerifyCommand,
    SecuredEcsService,
    EcrRepository,
    SecuredCloudRunService,
    ArtifactRegistryRepository,
]

if __name__ == "__main__":
    serve(COMPONENTS, __version__, sys.argv[1:])
