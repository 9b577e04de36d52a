"""`organizations.getClientConfig` and `getProject`: what the provider is configured for."""

from google_api import Google, told
from properties import Properties
from resources import Operation
from sdk_resource import SdkFunction


class GetClientConfig(SdkFunction):
    """The provider's own settings."""

    token = "gcp:organizations/getClientConfig:getClientConfig"

    def __init__(self, google: Google) -> None:
        self._google = google

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        project, region, zone = (self._google.setting(name) for name in ("project", "region", "zone"))
        return {
            "accessToken": self._google.required("accessToken"),
            "defaultLabels": {},
            "id": f'projects/"{project}"/regions/"{region}"/zones/"{zone}"',  # quoted, officially, too
            "project": project,
            "region": region,
            "zone": zone,
        }


class GetProject(SdkFunction):
    """A project's number and name."""

    token = "gcp:organizations/getProject:getProject"

    def __init__(self, google: Google) -> None:
        self._google = google

    def invoke(self, operation: Operation, arguments: Properties) -> Properties:
        project = arguments.get("projectId") or self._google.required("project")
        with told(f"reading Project {project}"):
            found = self._google.call("RESOURCE_MANAGER", "GET", f"projects/{project}")
        return {
            "autoCreateNetwork": False,
            "billingAccount": "",
            "effectiveLabels": {},
            "folderId": "",
            "id": f"projects/{found['projectId']}",
            "labels": {},
            "name": found["name"],
            "number": found["projectNumber"],
            "orgId": "",
            "projectId": found["projectId"],
            "pulumiLabels": {},
        }
