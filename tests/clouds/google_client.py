"""Google's own client library, speaking to the fake Google, and small services to make with it."""

from typing import Any

from google.oauth2.credentials import Credentials
from google.protobuf import field_mask_pb2

from tests.clouds.google.server import PROJECT, REGION, Google
from tests.plugins.gcp.libraries import client_class, library

run = library("run_v2")

PARENT = f"projects/{PROJECT}/locations/{REGION}"
IMAGE = f"{REGION}-docker.pkg.dev/{PROJECT}/images/app@sha256:{'a' * 64}"
LATEST = {"type_": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"}


def client_of(google: Google, package: str, service: str, client: str) -> Any:
    return client_class(package, service, client)(
        transport="rest", credentials=Credentials("token"), client_options={"api_endpoint": google.address}
    )


def container(**changes: Any) -> dict[str, Any]:
    return {"image": IMAGE} | changes


def template(*containers: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"template": {"containers": list(containers) or [container()]} | changes}


def create(cloud_run: Any, service: dict[str, Any], name: str = "app", **options: Any) -> Any:
    request = run.CreateServiceRequest(parent=PARENT, service_id=name, service=run.Service(service), **options)
    return cloud_run.create_service(request=request).result()


def update(cloud_run: Any, service: dict[str, Any], *mask: str, name: str = "app") -> Any:
    wanted = run.Service(service, name=f"{PARENT}/services/{name}")
    paths = field_mask_pb2.FieldMask(paths=mask) if mask else None
    return cloud_run.update_service(service=wanted, update_mask=paths).result()
