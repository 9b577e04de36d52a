"""What the tests of the Google components share: mocks that answer as the provider, and a service with little said."""

from typing import Any

import pulumi

from sc_secure import SecuredCloudRunService
from tests.components.mocked import REFERENCE, Mocks, run

EMAIL = "web-account@a-project.iam.gserviceaccount.com"
PARENT = "projects/a-project/locations/europe-west1/services/web-1234567"
OUTPUTS: dict[str, dict[str, Any]] = {
    "gcp:cloudrunv2/service:Service": {
        "name": "web-1234567",
        "uri": "https://web-1234567-ab12cd34ef-ew.a.run.app",
        "latestReadyRevision": f"{PARENT}/revisions/web-1234567-00001-abc",
        "project": "a-project",
    },
    "gcp:serviceaccount/account:Account": {"email": EMAIL},
    "gcp:artifactregistry/repository:Repository": {
        "registryUri": "europe-west1-docker.pkg.dev/a-project/images",
        "project": "a-project",
    },
}
BASE: dict[str, Any] = {"image": REFERENCE, "location": "europe-west1", "verify": {"key": "cosign.pub"}}


def google(answers: dict[str, str | None] | None = None) -> Mocks:
    return Mocks(answers, OUTPUTS)


def declared(name: str = "web", *, mocks: Mocks | None = None, preview: bool = False, **args: Any) -> Mocks:
    """What a service declares; `None` takes an argument of the base away."""
    recorder = mocks or google()
    given = {key: value for key, value in (BASE | args).items() if value is not None}

    def program() -> pulumi.Output[Any]:
        service = SecuredCloudRunService(name, given)  # type: ignore[arg-type]
        return pulumi.Output.all(service.url, service.revision)

    run(program, recorder, preview=preview)
    return recorder


def service_of(mocks: Mocks) -> dict[str, Any]:
    (inputs,) = [inputs for key, inputs in mocks.of("gcp:cloudrunv2").items() if key.startswith("Service ")]
    return inputs
