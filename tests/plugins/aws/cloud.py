"""Calls to AWS: clients by service and region, and a resource type as four calls: make, look, change, remove."""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import botocore.session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from limits import Refused
from policies import as_text
from properties import Properties
from resources import InvalidInput, Operation, ProviderError
from sdk_resource import SdkResource
from tagging import Tagging

_CONFIG = Config(connect_timeout=5, read_timeout=60, retries={"total_max_attempts": 3, "mode": "standard"})


class Aws:
    """The account and region that the provider is configured for; the endpoint and the keys are the environment's."""

    def __init__(self) -> None:
        self._session = botocore.session.get_session()
        self._clients: dict[tuple[str, str], BaseClient] = {}
        self._lock = threading.Lock()
        self._region = ""
        self.cancelled = threading.Event()

    @property
    def region(self) -> str:
        """The default region, as `aws:region` or the environment says.

        Raises:
            ProviderError: neither does.
        """
        # botocore itself knows only AWS_DEFAULT_REGION and the profile.
        region = self._region or os.environ.get("AWS_REGION") or self._session.get_config_variable("region")
        if not region:
            raise ProviderError("Missing region configuration: set aws:region or AWS_REGION")
        return region

    @region.setter
    def region(self, region: str) -> None:
        self._region = region

    def client(self, service: str, region: str = "") -> Any:
        """Return the client of a service, in the default region if none is given."""
        key = (service, region or self.region)
        with self._lock:  # making one isn't safe in threads, using one is
            if key not in self._clients:
                self._clients[key] = self._session.create_client(service, region_name=key[1], config=_CONFIG)
            return self._clients[key]

    def account(self) -> str:
        """Return the account's id."""
        return self.client("sts").get_caller_identity()["Account"]


@contextlib.contextmanager
def told(doing: str) -> Iterator[None]:
    """Turn what AWS says into the plugin's error; `doing` is as in `creating ECS Service (web)`."""
    try:
        yield
    except ClientError as error:
        details = error.response["Error"]
        said = f"{error.operation_name}, api error {details.get('Code')}: {details.get('Message')}"
        raise ProviderError(f"{doing}: operation error {said}") from error
    except Refused as error:
        raise ProviderError(f"{doing}: api error {error.code}: {error}") from error
    except BotoCoreError as error:
        raise ProviderError(f"{doing}: {error}") from error


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return error.response["Error"].get("Code", "")


class Gone(Exception):
    """The resource isn't there any more."""


class AwsResource(SdkResource):
    """A resource type, by the calls that make, look at, change and remove one."""

    service: str
    """Its service, by botocore's name."""
    what: str
    """What Terraform's provider calls it in errors."""
    gone: ClassVar[frozenset[str]] = frozenset()
    """AWS's codes of the error that it isn't there."""
    tagging: Tagging | None = None
    documents: ClassVar[dict[str, Callable[[Any], Any]]] = {}
    """Inputs that are JSON, each with what makes equivalent ones the same: see `policies`."""
    unsupported: frozenset[str] = frozenset()
    """Inputs that the official provider has and this one refuses, rather than leave them out in silence."""
    supported: frozenset[str] = frozenset()
    """Where most are refused, the ones that aren't, beside `region` and `tags`."""
    validations: ClassVar[dict[str, Callable[[str, Any], None]]] = {}
    """Inputs with what checks them as the official provider does, in a preview already: see `validation`."""

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    def make(self, api: Any, operation: Operation, inputs: Properties) -> str:
        """Make one and return its id."""
        raise NotImplementedError

    def look(self, api: Any, name: str, state: Properties) -> Properties:
        """Return the outputs as they are, None for an input that isn't set; `state` is what was known before.

        Raises:
            Gone: it isn't there, if no error of AWS's says so.
        """
        raise NotImplementedError

    def change(self, api: Any, name: str, olds: Properties, news: Properties) -> None:
        """Change one, but for its tags."""

    def remove(self, api: Any, name: str, state: Properties) -> None:
        """Take one away."""

    def arn(self, name: str, state: Properties) -> str:
        """Return what its tags are set on."""
        return state["arn"]

    def settle(self, operation: Operation, name: str, outputs: Properties) -> None:
        """Wait until it is as it should be, after it was made or changed."""

    # From here on as the engine asks for it.

    def check(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        taken = (self.supported | {"region", "tags"}) if self.supported else self.inputs["properties"].keys()
        for path in sorted(news.keys() - (taken - self.unsupported)):
            raise InvalidInput(path, "isn't done by the offline aws plugin: add it to tests/plugins/aws")
        inputs = super().check(operation, olds, as_text(news, *self.documents))
        for path, validate in self.validations.items():
            if path in inputs:
                validate(path, inputs[path])
        return inputs

    def compared(self, inputs: Properties) -> Properties:
        compared = super().compared(inputs)
        return compared | {name: same(inputs[name]) for name, same in self.documents.items() if name in inputs}

    def replaces(self, path: str, olds: Properties, news: Properties) -> bool:
        return path == "region" or super().replaces(path, olds, news)

    def planned(self, operation: Operation, olds: Properties | None, news: Properties) -> Properties:
        return super().planned(operation, olds, news) | self._known(news)

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        api = self._api(inputs)
        with told(f"creating {self.what} ({self._called(operation, inputs)})"):
            name = self.make(api, operation, inputs)
            outputs = self._outputs(api, name, inputs)
        self.settle(operation, name, outputs)
        return name, outputs

    def read(self, operation: Operation, name: str, state: Properties) -> Properties | None:
        api = self._api(state)
        with told(f"reading {self.what} ({name})"):
            try:
                return state | self.look(api, name, state)
            except Gone:
                return None
            except ClientError as error:
                if code_of(error) in self.gone:
                    return None
                raise

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        api = self._api(olds)
        with told(f"updating {self.what} ({name})"):
            self.change(api, name, olds, news)
            if self.tagging is not None:
                self.tagging.change(api, self.arn(name, olds), olds.get("tags", {}), news.get("tags", {}))
            outputs = self._outputs(api, name, news | {key: olds[key] for key in self.kept(olds)})
        self.settle(operation, name, outputs)
        return outputs

    def delete(self, operation: Operation, name: str, olds: Properties) -> None:
        with told(f"deleting {self.what} ({name})"):
            try:
                self.remove(self._api(olds), name, olds)
            except Gone:
                pass
            except ClientError as error:
                if code_of(error) not in self.gone:
                    raise

    def kept(self, olds: Properties) -> list[str]:
        """Return the outputs that an update leaves as they were, to be read again after it."""
        return [key for key in olds if key in self.outputs["properties"]]

    def _called(self, operation: Operation, inputs: Properties) -> str:
        return inputs.get(self.autoname.property, operation.name) if self.autoname else operation.name

    def _api(self, inputs: Properties) -> Any:
        return self.aws.client(self.service, inputs.get("region", ""))

    def _outputs(self, api: Any, name: str, inputs: Properties) -> Properties:
        return inputs | self.look(api, name, inputs) | self._known(inputs)

    def _known(self, inputs: Properties) -> Properties:
        """Return the outputs that follow from the inputs."""
        known: Properties = {}
        if "region" in self.inputs["properties"]:
            known["region"] = inputs.get("region") or self.aws.region
        if self.tagging is not None:
            known["tagsAll"] = inputs.get("tags", {})
        return known


def picked(source: dict[str, Any], **names: str) -> Properties:
    """Return what the source has under other names: `picked(answer, id="VpcId")`; what it hasn't is None."""
    return {ours: source.get(theirs) for ours, theirs in names.items()}


def asked(inputs: Properties, **names: str) -> dict[str, Any]:
    """Return the arguments of a call, from the inputs that are given: `asked(inputs, VpcId="vpcId")`."""
    return {theirs: inputs[ours] for theirs, ours in names.items() if ours in inputs}


def pascal(value: Any) -> Any:
    """Return the value with the keys as most of AWS's APIs write them."""
    if isinstance(value, dict):
        return {key[0].upper() + key[1:]: pascal(item) for key, item in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value
