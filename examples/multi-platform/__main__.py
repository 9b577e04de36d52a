"""A static site for two platforms, built by BuildKit with a build secret, and secured as one image."""

import pulumi

from sc_secure import SecuredImage

config = pulumi.Config()

image = SecuredImage(
    "site",
    {
        "image_name": config.require("imageName"),
        "build": {
            "builder": "docker-build",
            "context": "app",
            "platforms": ["linux/amd64", "linux/arm64"],
            "args": {"SHELL_IMAGE": config.require("shell"), "SERVER_IMAGE": config.require("server")},
            # In the state of the image's resource alone, encrypted; in no layer, and in no step's command.
            "secrets": {"licence": config.require_secret("licence")},
            # Nothing is fetched by a RUN step, so none may reach the network.
            "network": "none",
        },
        "security": {
            "scan": {"fail_on": config.require("failOn"), "only_fixed": True},
            "sbom": {"format": "cyclonedx-json"},
            "signing": {"key": "cosign.key", "verify": {"key": "cosign.pub"}},
            "provenance": {},
        },
    },
)

pulumi.export("image_ref", image.image_ref)
pulumi.export("deployable_ref", image.deployable_ref)
pulumi.export("status", image.status)
