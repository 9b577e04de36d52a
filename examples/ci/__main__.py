"""An image that is secured in CI, as policy.yaml says. What deploys it takes `deployable_ref`."""

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
            "args": {"BASE": config.get("base") or "python:3.13-slim-trixie"},
        },
        "security_file": "policy.yaml",
    },
)

pulumi.export("deployable_ref", image.deployable_ref)
pulumi.export("scan_summary", image.scan_summary)
pulumi.export("rekor_log_index", image.rekor_log_index)
pulumi.export("status", image.status)
