"""What the resource types of this plugin have in common, as those of the official provider do."""

import contextlib
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from conversion import found
from google.api_core import exceptions
from google_api import Google, told
from properties import Properties, has_unknowns
from resources import InvalidInput, Operation, ProviderError
from sdk_resource import SdkResource

_POLICY = "deletionPolicy"
CLIENT_SIDE = frozenset({"deletionPolicy", "deletionProtection"})
"""Inputs that Google never sees."""


class GcpResource(SdkResource):
    """A resource type of Google's."""

    what: str
    """What the official provider calls it in errors."""
    computed: ClassVar[frozenset[str]] = frozenset({"project"})
    defaults: ClassVar[Mapping[str, Any]] = {}
    """Inputs that the official provider sets if the program doesn't."""
    unsupported: frozenset[str] = frozenset()
    """Inputs that the official provider has and this one refuses, as dotted names: nothing is left out in silence."""
    choices: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Inputs that the official provider takes a few values for, as dotted names; it checks them in a preview."""
    patterns: ClassVar[Mapping[str, str]] = {}
    """Inputs that it takes only what matches for; in a preview, too."""

    def __init__(self, google: Google) -> None:
        self.google = google

    def project(self, properties: Properties) -> str:
        """Return the resource's project: its own, or else the provider's."""
        return properties.get("project") or self.google.required("project")

    def check(self, operation: Operation, olds: Properties, news: Properties) -> Properties:
        for path, _ in found(news, self.unsupported):
            raise InvalidInput(path, "isn't supported by the offline gcp plugin")
        for path, value in found(news, self.choices):
            if value not in self.choices[path] and not has_unknowns(value):
                wanted = " ".join(f'"{choice}"' for choice in self.choices[path])
                raise InvalidInput(path, f"expected {path} to be one of [{wanted}], got {value}")
        checked = super().check(operation, olds, {**self.defaults, **news})
        for path, value in found(checked, self.patterns):
            if not has_unknowns(value) and not re.fullmatch(self.patterns[path], value):
                raise InvalidInput(path, f'"{path}" ("{value}") must match regex "{self.patterns[path]}"')
        return checked

    def planned(self, operation: Operation, olds: Properties | None, news: Properties) -> Properties:
        planned = super().planned(operation, olds, news)
        return planned | {"project": self.project(news)} if "project" in self.inputs["properties"] else planned

    def look(self, name: str, state: Properties) -> Properties:
        """Return the outputs as they are; a NotFound of Google's says that it isn't there."""
        raise NotImplementedError

    def remove(self, name: str, state: Properties) -> None:
        """Take it away; a NotFound of Google's says that it is away."""
        raise NotImplementedError

    def read(self, operation: Operation, name: str, state: Properties) -> Properties | None:
        with told(f"reading {self.what}"):
            try:
                outputs = self.look(name, state)
            except exceptions.NotFound:
                return None
        return dict.fromkeys(self.inputs["properties"].keys() & state.keys()) | outputs

    def delete(self, operation: Operation, name: str, olds: Properties) -> None:
        if self.keeps(olds):
            return
        with told(f"when reading or editing {self.what}"), contextlib.suppress(exceptions.NotFound):
            self.remove(name, olds)

    def keeps(self, state: Properties) -> bool:
        """Whether the resource stays when it is taken out of the stack.

        Raises:
            ProviderError: it must not be taken out.
        """
        if state.get(_POLICY) == "PREVENT":
            raise ProviderError(f"cannot destroy {self.what} without setting deletion_policy to DELETE or ABANDON")
        return state.get(_POLICY) == "ABANDON"


class Labels:
    """Labels and annotations as the official provider keeps them: its own beside the program's, others' untouched."""

    def __init__(self, google: Google) -> None:
        self._google = google

    def sent(self, inputs: Properties) -> dict[str, str]:
        """Return all labels that the provider answers for."""
        return self._google.own_labels | inputs.get("labels", {})

    def outputs(self, inputs: Properties, actual: Mapping[str, str]) -> Properties:
        """Return the outputs about labels; `inputs` are the program's or the state."""
        return {
            "labels": {key: actual[key] for key in inputs.get("labels", {}) if key in actual},
            "pulumiLabels": self.sent(inputs),
            "effectiveLabels": dict(actual),
        }

    @staticmethod
    def annotations(inputs: Properties, actual: Mapping[str, str]) -> Properties:
        """Return the outputs about annotations."""
        given = inputs.get("annotations", {})
        return {
            "annotations": {key: actual[key] for key in given if key in actual},
            "effectiveAnnotations": dict(actual),
        }


UNSETTLED = {"effectiveLabels": frozenset({"labels"}), "pulumiLabels": frozenset({"labels"})}
"""The outputs about labels, with what changes them."""
