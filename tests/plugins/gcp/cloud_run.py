"""`cloudrunv2.Service`, as terraform-provider-google's `google_cloud_run_v2_service` does it."""

from typing import Any, ClassVar

from conversion import Names, carried, document_of, message_of
from gcp_resource import CLIENT_SIDE, UNSETTLED, GcpResource, Labels
from google.api_core import exceptions
from google_api import Google, text_of, told
from libraries import library
from properties import Properties
from resources import AutoName, Operation, PartlyMade, ProviderError

_NAMES = Names(
    renamed={
        "commands": "command",
        "dependsOns": "dependsOn",
        "envs": "env",
        "traffics": "traffic",
    },
    single=frozenset({"ports"}),
    maps=frozenset({"annotations", "environmentVariables", "labels", "limits"}),
)
_NOT_SENT = frozenset({"location", "name", "project"}) | CLIENT_SIDE
_PROBE = {"failureThreshold": 3, "periodSeconds": 10, "timeoutSeconds": 1}
_PROBE_DEFAULTS = {"livenessProbe": _PROBE, "startupProbe": _PROBE}
"""What the official provider sends when the program says nothing."""
_PROTECTED = "cannot destroy service without setting deletion_protection=false and running `terraform apply`"


class Service(GcpResource):
    """A Cloud Run service."""

    token = "gcp:cloudrunv2/service:Service"
    what = "Service"
    replace_on = frozenset({"location", "name", "project"})
    computed = frozenset({"project", "ingress", "launchStage", "scaling", "traffics"})
    unsettled = UNSETTLED
    autoname = AutoName(longest=255)
    defaults: ClassVar = {"deletionProtection": True, "deletionPolicy": "DELETE"}
    choices: ClassVar = {
        "deletionPolicy": ("DELETE", "ABANDON", "PREVENT"),
        "ingress": ("INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"),
        "launchStage": ("UNIMPLEMENTED", "PRELAUNCH", "EARLY_ACCESS", "ALPHA", "BETA", "GA", "DEPRECATED"),
        "scaling.scalingMode": ("AUTOMATIC", "MANUAL"),
        "template.executionEnvironment": ("EXECUTION_ENVIRONMENT_GEN1", "EXECUTION_ENVIRONMENT_GEN2"),
        "template.vpcAccess.egress": ("ALL_TRAFFIC", "PRIVATE_RANGES_ONLY"),
        "traffics.type": ("TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"),
    }
    unsupported = frozenset(
        {
            # Newer than the messages of google-cloud-run, or nothing that the fake does.
            "buildConfig", "functionalType", "multiRegionSettings", "sshEnabled", "tags",
            "template.containers.buildInfos", "template.containers.readinessProbe.successThreshold",
            "template.containers.sandboxLauncher", "template.nodeSelector", "template.sandboxes",
            "template.scaling.concurrencyUtilization", "template.scaling.cpuUtilization",
            "template.serviceMesh", "template.workloadIdentityConfig",
        }
    )  # fmt: skip
    stays = frozenset(
        {
            "ingress", "launchStage", "scaling", "traffics", "template.containers.ports",
            "template.containers.ports.name", "template.containers.resources",
            "template.containers.resources.limits", "template.containers.startupProbe",
            *(
                f"template.containers.{probe}.{action}.port"
                for probe in ("livenessProbe", "readinessProbe", "startupProbe")
                for action in ("grpc", "httpGet", "tcpSocket")
            ),
            "template.maxInstanceRequestConcurrency", "template.scaling", "template.serviceAccount",
            "template.timeout", "template.vpcAccess.egress", "template.vpcAccess.networkInterfaces.network",
            "template.vpcAccess.networkInterfaces.subnetwork",
        }
    )  # fmt: skip
    """Inputs that stay as they are in the cloud when the program stops giving them: officially, too, and no change."""

    def __init__(self, google: Google) -> None:
        super().__init__(google)
        self._labels = Labels(google)

    def settled(self, olds: Properties, news: Properties) -> Properties:
        return carried(news, olds, self.stays)

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        project = self.project(inputs)
        parent = f"projects/{project}/locations/{inputs['location']}"
        name = f"{parent}/services/{inputs['name']}"
        with told("creating Service"):
            running = self._client.create_service(
                parent=parent, service=self._message(inputs), service_id=inputs["name"]
            )
        try:
            running.result()
        except exceptions.GoogleAPICallError as error:
            # It is there, and doesn't serve. Of what Google knows of it, the state has nothing.
            reason = f"Error waiting to create Service: Error waiting for Creating Service: {text_of(error)}"
            raise PartlyMade(reason, name, inputs | {"project": project}) from error
        with told("reading Service"):
            return name, self.look(name, inputs)

    def look(self, name: str, state: Properties) -> Properties:
        return self._outputs(state, self._client.get_service(name=name))

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        wanted = self.settled(olds, news)
        if self._message(wanted) == self._message(olds):
            # No request, and so it is officially even when the last update failed, since the state then has what that
            # one asked for: https://github.com/pulumi/pulumi/issues/21458
            return olds | {key: value for key, value in news.items() if key in CLIENT_SIDE}
        self._patch(name, olds, wanted)
        with told("reading Service"):
            return self.look(name, news)

    def keeps(self, state: Properties) -> bool:
        if state.get("deletionProtection", True) is not False:
            raise ProviderError(_PROTECTED)
        return super().keeps(state)

    def remove(self, name: str, state: Properties) -> None:
        self._client.delete_service(name=name).result()

    @property
    def _client(self) -> Any:
        return self.google.client("cloud_run")

    def _patch(self, name: str, olds: Properties, wanted: Properties) -> None:
        service = self._message(wanted)
        service.name = name
        planned = olds | wanted
        try:
            running = self._client.update_service(service=service)
        except exceptions.GoogleAPICallError as error:
            raise PartlyMade(f'Error updating Service "{name}": {text_of(error)}', name, planned) from error
        try:
            running.result()
        except exceptions.GoogleAPICallError as error:
            reason = f"Error waiting to update Service: Error waiting for Updating Service: {text_of(error)}"
            raise PartlyMade(reason, name, planned) from error

    def _message(self, properties: Properties) -> Any:
        """Return what is sent for these inputs, or for those of a state."""
        sent = self.inputs["properties"].keys() - _NOT_SENT
        document = _NAMES.to_google({key: value for key, value in properties.items() if key in sent})
        document |= {"labels": self._labels.sent(properties)}
        for container in document["template"].get("containers", []):
            for kind in _PROBE_DEFAULTS.keys() & container.keys():
                container[kind] = _PROBE_DEFAULTS[kind] | container[kind]
        return message_of(library("run_v2").Service, document)

    def _outputs(self, inputs: Properties, service: Any) -> Properties:
        document = document_of(service)
        _, project, _, location, _, name = document["name"].split("/")
        properties = _NAMES.to_pulumi(document)
        properties |= {
            "location": location,
            "name": name,
            "project": project,
            "terminalConditions": [properties.pop("terminalCondition")],
            **{key: inputs.get(key, self.defaults[key]) for key in CLIENT_SIDE},
            **self._labels.outputs(inputs, document["labels"]),
            **self._labels.annotations(inputs, document["annotations"]),
        }
        known = self.inputs["properties"].keys() | self.outputs["properties"].keys()
        return {key: value for key, value in properties.items() if key in known}
