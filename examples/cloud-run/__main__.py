"""A web service on Cloud Run: network, registry, secret, image and service, of which only what passed is deployed."""

import pulumi
import pulumi_gcp as gcp

from sc_secure import ArtifactRegistryRepository, SecuredCloudRunService, SecuredImage

config = pulumi.Config()
location = config.require("location")
protected = config.require_bool("deletionProtection")

network = gcp.compute.Network("network", auto_create_subnetworks=False)
subnetwork = gcp.compute.Subnetwork(
    "subnetwork",
    network=network.id,
    region=location,
    ip_cidr_range="10.8.0.0/26",
    private_ip_google_access=True,
)

secret = gcp.secretmanager.Secret("signing", replication={"auto": {}})
secret_version = gcp.secretmanager.SecretVersion(
    "signing-value", secret=secret.id, secret_data=config.require_secret("signingSecret")
)

security = {
    "scan": {"fail_on": config.require("failOn"), "only_fixed": True},
    "sbom": {"format": "cyclonedx-json"},
    "signing": {"key": "cosign.key", "verify": {"key": "cosign.pub"}},
    "provenance": {},
}
images = ArtifactRegistryRepository("images", {"location": location, "deletion_protection": protected})
image = SecuredImage(
    "web-image",
    {
        "image_name": images.repository_url.apply(lambda url: f"{url}/web:{config.require('version')}"),
        "build": {
            "context": "app",
            "dockerfile": "app/Dockerfile",
            "platform": "linux/amd64",
            "args": {"BASE": config.require("base")},
        },
        "security": security,
    },
)

service_args = {
    "image": image.deployable_ref,
    "location": location,
    "verify": {"security": security},
    "secrets": {"SIGNING_SECRET": {"secret": secret.secret_id, "version": secret_version.version}},
    "startup_probe": {"kind": "http", "path": "/healthz", "period_seconds": 2, "failure_threshold": 30},
    "liveness_probe": {"kind": "http", "path": "/healthz", "period_seconds": 30},
    "max_instances": 10,
    "vpc": {"network": network.id, "subnetwork": subnetwork.id},
    "deletion_protection": protected,
}
if invoker := config.get("invoker"):
    service_args["invokers"] = {"me": invoker}
if revision := config.get("rollbackTo"):
    service_args["traffic"] = [{"percent": 100, "revision": revision}, {"percent": 0, "latest": True, "tag": "latest"}]
if config.require_bool("binaryAuthorization"):
    service_args["binary_authorization"] = {"use_default": True}
service = SecuredCloudRunService("web", service_args)

pulumi.export("url", service.url)
pulumi.export("revision", service.revision)
pulumi.export("image", service.image)
pulumi.export("service_name", service.service_name)
pulumi.export("service_account_email", service.service_account_email)
pulumi.export("repository_url", images.repository_url)
pulumi.export("scan_summary", image.scan_summary)
