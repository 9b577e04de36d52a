"""A small web application, secured: what `make up` deploys."""

import pulumi

from sc_secure import SecuredImage

config = pulumi.Config()

image = SecuredImage(
    "web",
    {
        "image_name": config.require("imageName"),
        "build": {
            "context": "app",
            "dockerfile": "app/Dockerfile",
            "platform": "linux/amd64",
            "args": {"BASE": config.require("base")},
        },
        "security": {
            # Close the gate with: pulumi config set failOn high
            "scan": {"fail_on": config.require("failOn"), "only_fixed": True},
            "sbom": {"format": "cyclonedx-json"},
            "signing": {"key": "cosign.key", "verify": {"key": "cosign.pub"}},
            "provenance": {},
        },
    },
)

pulumi.export("digest", image.digest)
pulumi.export("image_ref", image.image_ref)
pulumi.export("deployable_ref", image.deployable_ref)
pulumi.export("sbom_path", image.sbom_path)
pulumi.export("sbom_sha256", image.sbom_sha256)
pulumi.export("scan_summary", image.scan_summary)
pulumi.export("attestations", image.attestations)
pulumi.export("status", image.status)
pulumi.export("warnings", image.warnings)
