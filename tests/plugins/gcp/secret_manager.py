"""`secretmanager.Secret` and `SecretVersion`, as `google_secret_manager_secret` and `…_secret_version` do it."""

import base64
import binascii
from typing import Any, ClassVar

from conversion import Names, document_of, message_of
from gcp_resource import CLIENT_SIDE, UNSETTLED, GcpResource, Labels
from google.api_core import exceptions
from google.protobuf import field_mask_pb2
from google_api import Google, told
from libraries import library
from properties import Properties
from resources import AutoName, Operation, ProviderError

_NAMES = Names(renamed={"auto": "automatic"})
_CHANGEABLE = {"annotations": "annotations", "labels": "labels", "versionDestroyTtl": "version_destroy_ttl"}
_DESTROYED = 3


class Secret(GcpResource):
    """A secret, which has no value of its own."""

    token = "gcp:secretmanager/secret:Secret"
    what = "Secret"
    replace_on = frozenset({"project", "replication", "secretId"})
    unsettled = UNSETTLED
    autoname = AutoName(longest=255, property="secretId")
    defaults: ClassVar = {"deletionPolicy": "DELETE", "deletionProtection": False}
    unsupported = frozenset({"expireTime", "rotation", "secretType", "tags", "topics", "ttl", "versionAliases"})

    def __init__(self, google: Google) -> None:
        super().__init__(google)
        self._labels = Labels(google)

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        parent = f"projects/{self.project(inputs)}"
        document = {key: inputs[key] for key in ("replication", *_CHANGEABLE) if key in inputs}
        secret = self._message(document | {"labels": self._labels.sent(inputs)})
        with told("creating Secret"):
            made = self._client.create_secret(parent=parent, secret_id=inputs["secretId"], secret=secret)
        return f"{parent}/secrets/{inputs['secretId']}", self._outputs(inputs, made)

    def look(self, name: str, state: Properties) -> Properties:
        return self._outputs(state, self._client.get_secret(name=name))

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        changed = [key for key in _CHANGEABLE if news.get(key) != olds.get(key)]
        document = {key: news[key] for key in changed if key in news} | {"labels": self._labels.sent(news)}
        secret = self._message(document)
        secret.name = name
        mask = field_mask_pb2.FieldMask(paths=[_CHANGEABLE[key] for key in changed])
        with told("updating Secret"):
            if changed:
                self._client.update_secret(secret=secret, update_mask=mask)
            return self.look(name, news)

    def keeps(self, state: Properties) -> bool:
        if state.get("deletionProtection"):
            text = "cannot destroy secret manager secret without setting deletion_protection=false"
            raise ProviderError(f"{text} and running `terraform apply`")
        return super().keeps(state)

    def remove(self, name: str, state: Properties) -> None:
        self._client.delete_secret(name=name)

    @property
    def _client(self) -> Any:
        return self.google.client("secret_manager")

    def _message(self, document: Properties) -> Any:
        return message_of(library("secretmanager_v1").Secret, _NAMES.to_google(document))

    def _outputs(self, inputs: Properties, secret: Any) -> Properties:
        document = document_of(secret)
        outputs = {
            "createTime": document["createTime"],
            "name": document["name"],
            "project": self.project(inputs),
            "replication": _NAMES.to_pulumi(document["replication"]),
            "secretId": document["name"].rpartition("/")[2],
            **{key: inputs[key] for key in CLIENT_SIDE if key in inputs},
            **self._labels.outputs(inputs, document["labels"]),
            **self._labels.annotations(inputs, document["annotations"]),
        }
        if "versionDestroyTtl" in document:
            outputs["versionDestroyTtl"] = document["versionDestroyTtl"]
        return outputs


class SecretVersion(GcpResource):
    """A version of a secret: its value, which never changes."""

    token = "gcp:secretmanager/secretVersion:SecretVersion"
    what = "SecretVersion"
    computed: ClassVar = frozenset()
    replace_on = frozenset({"isSecretDataBase64", "secret", "secretData"})
    defaults: ClassVar = {"deletionPolicy": "DELETE", "enabled": True}
    choices: ClassVar = {"deletionPolicy": ("DELETE", "ABANDON", "DISABLE", "PREVENT")}
    unsupported = frozenset({"project", "secretDataWo", "secretDataWoVersion"})

    def create(self, operation: Operation, inputs: Properties) -> tuple[str, Properties]:
        payload = {"data": _data(inputs)}
        with told("creating SecretVersion"):
            version = self._client.add_secret_version(parent=inputs["secret"], payload=payload)
            if not inputs["enabled"]:
                version = self._client.disable_secret_version(name=version.name)
        return version.name, self._outputs(inputs, version)

    def planned(self, operation: Operation, olds: Properties | None, news: Properties) -> Properties:
        planned = super().planned(operation, olds, news)
        return {key: value for key, value in planned.items() if key != "project"}

    def look(self, name: str, state: Properties) -> Properties:
        version = self._client.get_secret_version(name=name)
        if version.state == _DESTROYED:
            raise exceptions.NotFound(f"{name} is destroyed")
        return self._outputs(state, version)

    def update(self, operation: Operation, name: str, olds: Properties, news: Properties) -> Properties:
        with told("updating SecretVersion"):
            if news["enabled"] == olds["enabled"]:
                version = self._client.get_secret_version(name=name)
            elif news["enabled"]:
                version = self._client.enable_secret_version(name=name)
            else:
                version = self._client.disable_secret_version(name=name)
        return self._outputs(news, version)

    def remove(self, name: str, state: Properties) -> None:
        if state.get("deletionPolicy") == "DISABLE":
            self._client.disable_secret_version(name=name)
        else:
            self._client.destroy_secret_version(name=name)

    @property
    def _client(self) -> Any:
        return self.google.client("secret_manager")

    def _outputs(self, inputs: Properties, version: Any) -> Properties:
        document = document_of(version)
        return inputs | {
            "createTime": document["createTime"],
            "destroyTime": document.get("destroyTime", ""),
            "enabled": document["state"] == "ENABLED",
            "name": document["name"],
            "version": document["name"].rpartition("/")[2],
        }


def _data(inputs: Properties) -> bytes:
    data = inputs.get("secretData", "").encode()
    if not inputs.get("isSecretDataBase64"):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ProviderError("secret_data isn't base64, as is_secret_data_base64 says it is") from error
