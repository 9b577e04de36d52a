"""The package as a Pulumi plugin (see PulumiPlugin.yaml): serves the components to programs in any language."""

import pulumi
from pulumi.provider.experimental import component_provider_host

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
    component_provider_host(name="sc-secure", version=__version__, components=COMPONENTS)
