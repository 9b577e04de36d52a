"""The arguments of `SecuredCloudRunService`, as Pulumi's schema inference reads them.

What a sidecar and the service have in common stands twice: the inference finds no descriptions in a base class.
"""

from typing import NotRequired, TypedDict

import pulumi

from sc_secure.components.args import DeploymentVerifyArgs


class CloudRunSecretArgs(TypedDict):
    """A secret of Secret Manager as an environment variable."""

    secret: pulumi.Input[str]
    """The secret's id, or `projects/<project>/secrets/<id>` for one of another project."""
    version: NotRequired[pulumi.Input[str]]
    """The version's number or alias, or `latest` (when not said), which each instance reads once, when it starts."""


class CloudRunSecretVolumeArgs(TypedDict):
    """A secret of Secret Manager as a file. With `latest`, each read of the file gets the newest version."""

    mount_path: str
    """The folder, which holds nothing but this file: an absolute path."""
    secret: pulumi.Input[str]
    """The secret's id, or `projects/<project>/secrets/<id>` for one of another project."""
    version: NotRequired[pulumi.Input[str]]
    """The version's number or alias, or `latest` (when not said)."""
    file_name: NotRequired[str]
    """The file's name in the folder. `value` when not said."""
    mode: NotRequired[int]
    """The file's mode bits as a number, such as 256 for octal 0400. 292 (octal 0444) when not said."""


class CloudRunMemoryVolumeArgs(TypedDict):
    """A folder in the instance's memory, which containers that mount the same name share."""

    name: str
    """The volume's name."""
    mount_path: str
    """The folder in this container: an absolute path."""
    size_limit: NotRequired[str]
    """How much it may hold, such as `64Mi`. It counts as memory of the containers. Google's default when not said."""


class CloudRunProbeArgs(TypedDict):
    """A health check of a container."""

    kind: str
    """`http`, `grpc`, or (at start-up only) `tcp`."""
    path: NotRequired[str]
    """The path that an `http` probe gets. `/` when not said."""
    headers: NotRequired[dict[str, str]]
    """The headers that an `http` probe sends."""
    service: NotRequired[str]
    """The service that a `grpc` probe asks about."""
    port: NotRequired[int]
    """The port. The service's port when not said; a sidecar's probe has to say it."""
    initial_delay_seconds: NotRequired[int]
    """How long to wait before the first probe. 0 when not said."""
    period_seconds: NotRequired[int]
    """How often to probe. 10 when not said."""
    timeout_seconds: NotRequired[int]
    """How long a probe may take. 1 when not said."""
    failure_threshold: NotRequired[int]
    """After how many failures in a row the container is ended. 3 when not said."""


class CloudRunSidecarArgs(TypedDict):
    """A further container of each instance. It gets no requests from outside."""

    name: str
    """The container's name."""
    image: pulumi.Input[str]
    """The image, by digest."""
    verify: NotRequired[DeploymentVerifyArgs]
    """How the image is verified. As the service's image when not said."""
    command: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """What to run in place of the image's entry point."""
    args: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The arguments in place of the image's command."""
    working_directory: NotRequired[str]
    """The working directory: an absolute path. The image's when not said."""
    environment: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables. No place for secrets."""
    secrets: NotRequired[dict[str, pulumi.Input[CloudRunSecretArgs]]]
    """Environment variables from Secret Manager."""
    secret_volumes: NotRequired[list[CloudRunSecretVolumeArgs]]
    """Files from Secret Manager."""
    memory_volumes: NotRequired[list[CloudRunMemoryVolumeArgs]]
    """Folders in memory."""
    cpu: NotRequired[str]
    """How many CPUs. `1` when not said."""
    memory: NotRequired[str]
    """How much memory. `512Mi` when not said."""
    startup_probe: NotRequired[CloudRunProbeArgs]
    """When the container counts as started."""
    liveness_probe: NotRequired[CloudRunProbeArgs]
    """When the container is restarted."""
    depends_on: NotRequired[list[str]]
    """The containers that must have started before this one."""


class CloudRunVpcArgs(TypedDict):
    """The service's way out to a VPC network: directly, or through a connector."""

    network: NotRequired[pulumi.Input[str]]
    """The network's name or id. The subnetwork's when not said."""
    subnetwork: NotRequired[pulumi.Input[str]]
    """The subnetwork's name or id. The one with the network's name when not said."""
    tags: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Network tags, for firewall rules."""
    connector: NotRequired[pulumi.Input[str]]
    """A Serverless VPC Access connector's id. Excludes `network`, `subnetwork` and `tags`."""
    egress: NotRequired[str]
    """What goes that way: PRIVATE_RANGES_ONLY (when not said) or ALL_TRAFFIC."""


class CloudRunTrafficArgs(TypedDict):
    """A share of the requests."""

    percent: int
    """How many of a hundred. 0 gives a tagged revision a URL of its own and no other request."""
    latest: NotRequired[bool]
    """The newest revision. Excludes `revision`."""
    revision: NotRequired[str]
    """A revision's name: see the output `revision`. It isn't verified again. Excludes `latest`."""
    tag: NotRequired[str]
    """A name that gets a URL of its own."""


class CloudRunBinaryAuthorizationArgs(TypedDict):
    """Google's own check of what is deployed, beside this package's: by a policy of the project."""

    use_default: NotRequired[bool]
    """The project's default policy. Excludes `policy`."""
    policy: NotRequired[str]
    """A policy of Cloud Run's: `projects/<project>/platforms/cloudRun/<policy>`. Excludes `use_default`."""
    breakglass_justification: NotRequired[str]
    """Deploys even what the policy forbids, and logs why. Warned of in each preview and update."""


class SecuredCloudRunServiceArgs(TypedDict):
    """The arguments of `SecuredCloudRunService`."""

    image: pulumi.Input[str]
    """The image, by digest: the `deployable_ref` of a `SecuredImage`, or `repository@sha256:…`."""
    location: pulumi.Input[str]
    """The region, as `europe-west1`."""
    verify: NotRequired[DeploymentVerifyArgs]
    """How the image is verified just before it is deployed. Required; `{enabled: false}` leaves it out."""
    project: NotRequired[pulumi.Input[str]]
    """The project's id. The provider's when not said."""
    service_name: NotRequired[str]
    """The service's name, which its URL contains. Made from the component's name when not said."""
    description: NotRequired[str]
    """What the service is for."""
    labels: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Labels of the service, for filters and bills."""
    annotations: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Annotations of the service, for tools."""
    port: NotRequired[int]
    """The port that the container listens on, which it gets as PORT. 8080 when not said."""
    http2: NotRequired[bool]
    """Speak HTTP/2 without TLS (h2c) to the container, as gRPC needs. Off when not said."""
    cpu: NotRequired[str]
    """How many CPUs: 0.08 to 1, 2, 4, 6 or 8. `1` when not said."""
    memory: NotRequired[str]
    """How much memory, as `512Mi` (when not said) or `2Gi`."""
    cpu_idle: NotRequired[bool]
    """CPU only while requests are served, and billed so. On when not said; off bills the instance's whole life."""
    startup_cpu_boost: NotRequired[bool]
    """More CPU while the container starts. Off when not said."""
    execution_environment: NotRequired[str]
    """EXECUTION_ENVIRONMENT_GEN2 (when not said) or EXECUTION_ENVIRONMENT_GEN1."""
    min_instances: NotRequired[int]
    """How many instances there are at least, of each revision with traffic. 0 when not said."""
    max_instances: NotRequired[int]
    """How many instances of a revision there are at most. 100 when not said."""
    concurrency: NotRequired[int]
    """How many requests an instance serves at a time. Google's default when not said: 80, or 1 below one CPU."""
    timeout_seconds: NotRequired[int]
    """How long a request may take. 300 when not said."""
    session_affinity: NotRequired[bool]
    """Send a client's requests to the same instance where possible."""
    command: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """What to run in place of the image's entry point."""
    args: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The arguments in place of the image's command."""
    working_directory: NotRequired[str]
    """The working directory: an absolute path. The image's when not said."""
    environment: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Environment variables. No place for secrets."""
    secrets: NotRequired[dict[str, pulumi.Input[CloudRunSecretArgs]]]
    """Environment variables from Secret Manager."""
    secret_volumes: NotRequired[list[CloudRunSecretVolumeArgs]]
    """Files from Secret Manager."""
    memory_volumes: NotRequired[list[CloudRunMemoryVolumeArgs]]
    """Folders in memory."""
    startup_probe: NotRequired[CloudRunProbeArgs]
    """When the container counts as started. A connection to its port when not said."""
    liveness_probe: NotRequired[CloudRunProbeArgs]
    """When the container is restarted. Never when not said."""
    depends_on: NotRequired[list[str]]
    """The sidecars that must have started before the main container, which is called `app`."""
    sidecars: NotRequired[list[CloudRunSidecarArgs]]
    """Further containers of each instance."""
    service_account: NotRequired[pulumi.Input[str]]
    """The e-mail address of the service account that the service runs as. One of its own is made when not said."""
    grant_secret_access: NotRequired[bool]
    """Let the account read exactly the secrets named here. On when not said for one that is made, else off."""
    ingress: NotRequired[str]
    """INGRESS_TRAFFIC_ALL (when not said), INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."""
    allow_unauthenticated: NotRequired[bool]
    """Anybody may call the service. Off when not said: only `invokers`, and whoever else has the right, may."""
    invokers: NotRequired[dict[str, pulumi.Input[str]]]
    """Who may call the service: a name of your own -> an IAM member, as `serviceAccount:<e-mail address>`."""
    vpc: NotRequired[pulumi.Input[CloudRunVpcArgs]]
    """The service's way out to a VPC network."""
    custom_audiences: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """Further URLs for which callers' identity tokens may be made out."""
    encryption_key: NotRequired[pulumi.Input[str]]
    """The Cloud KMS key that encrypts the image where Cloud Run keeps it."""
    traffic: NotRequired[list[CloudRunTrafficArgs]]
    """How requests are shared out among revisions. All to the newest when not said."""
    binary_authorization: NotRequired[CloudRunBinaryAuthorizationArgs]
    """Google's own check of what is deployed."""
    deletion_protection: NotRequired[bool]
    """Refuse to delete the service. On when not said: to delete it, first turn this off with an update."""
