"""What the services have in common: an image is verified just before anything of the service is made or changed."""

import hashlib
import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import pulumi

from sc_secure.components._policy import SOURCES, policy_of, verify_args
from sc_secure.components._step import public
from sc_secure.components._validate import InvalidArgs, digest_reference
from sc_secure.components._wholes import MAPS, public_map
from sc_secure.components.args import DeploymentVerifyArgs, VerifyCommandArgs
from sc_secure.components.verify import VerifyCommand, verification
from sc_secure.policy.security import Security

RANDOM_SUFFIX = 8
"""How much Pulumi's automatic names add: a hyphen and seven hexadecimal digits."""


@dataclass(frozen=True)
class DeployedImage:
    """One container's image, and how it is verified; checked, with nothing registered yet."""

    path: str
    """The path of the image's argument."""
    reference: pulumi.Output[str]
    """The image by digest, there only when everything before has passed."""
    verify: VerifyCommandArgs | None
    """None: verifying is switched off by name."""


def deployed_image(
    component: str, image: pulumi.Input[str], verify: DeploymentVerifyArgs | None, prefix: str = ""
) -> DeployedImage:
    """A container's image and how it is verified, from its arguments.

    Args:
        component: whose arguments they are.
        image: the argument `image`.
        verify: the argument `verify`.
        prefix: the path of these arguments, with its dot; empty for a component's own.

    Raises:
        InvalidArgs: the image has no digest, or `verify` doesn't say who must have signed.
    """
    path = f"{prefix}image"
    reference = digest_reference(component, path, image)
    checked = _verify_args(component, verify, f"{prefix}verify")
    if checked is not None:
        verification(component, checked, f"{prefix}verify.")
    return DeployedImage(path, reference, checked)


def _verify_args(component: str, given: DeploymentVerifyArgs | None, path: str) -> VerifyCommandArgs | None:
    """The arguments of the service's own `VerifyCommand`; None: switched off.

    Raises:
        InvalidArgs: nothing is said, or a policy and something that it says already.
    """
    if given is None:
        reason = "missing: say who must have signed the image: {key}, {identity_regexp, oidc_issuer} or {security}"
        raise InvalidArgs(component, [(path, f"{reason}; {{enabled: false}} deploys whatever has a digest")])
    if not given.get("enabled", True):
        return None
    own = {key: value for key, value in given.items() if key not in (*SOURCES, "enabled")}
    policy = policy_of(component, given, f"{path}.")
    if policy is None:
        return cast(VerifyCommandArgs, {"image": "", **own})
    doubled = [key for key in own if key not in ("timeout_seconds", "registry")]
    if doubled:
        raise InvalidArgs(component, [(f"{path}.{doubled[0]}", "excludes a policy, which says it already")])
    return _by_policy(component, policy, path) | cast(VerifyCommandArgs, own)


def _by_policy(component: str, policy: Security, path: str) -> VerifyCommandArgs:
    """What a policy signs, and who signs it.

    Raises:
        InvalidArgs: it signs nothing, or needn't sign, or doesn't say who signs.
    """
    if not (policy.enabled and policy.signing.enabled):
        reason = "this policy signs nothing, so nothing can be verified; name a key or an identity instead"
        raise InvalidArgs(component, [(path, reason)])
    if not policy.signing.required:
        reason = "signing isn't required by this policy, so an image may have no signature: name a key or an identity"
        raise InvalidArgs(component, [(path, reason)])
    return verify_args(component, policy, path)


class Deployment:
    """Verifies a service's images, and lets its resources wait for all of them.

    An image is verified again whenever anything of the service changes, not only the image: what is deployed was
    verified just before.
    """

    def __init__(
        self,
        name: str,
        images: Mapping[str, DeployedImage],
        given: Mapping[str, Any],
        *,
        parent: pulumi.ComponentResource,
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Declares a `VerifyCommand` for each image.

        Args:
            name: the service's name.
            images: the name of each one's `VerifyCommand` -> the image.
            given: the service's checked arguments: a change of any of them verifies again.
            parent: the service.
            opts: the service's options; what it depends on, everything of it depends on.
        """
        before = pulumi.ResourceOptions(depends_on=opts.depends_on if opts else None)
        fingerprint = _fingerprint({key: value for key, value in given.items() if key not in ("image", "verify")})
        self._passed: dict[str, pulumi.Output[str]] = {}
        for verify_name, image in images.items():
            if image.verify is None:
                off = f"{image.path}: verifying is switched off: what has a digest is deployed, whoever signed it"
                pulumi.log.warn(off, parent)
                self._passed[verify_name] = image.reference
                continue
            args: VerifyCommandArgs = {**image.verify, "image": image.reference, "deployment": fingerprint}
            child = pulumi.ResourceOptions.merge(before, pulumi.ResourceOptions(parent=parent))
            self._passed[verify_name] = VerifyCommand(verify_name, args, child).passed_ref
        # An output of nothing that carries the gates' resources, and fails when a gate does.
        gates = pulumi.Output.all(*self._passed.values()).apply(lambda _: None)
        waiting = pulumi.ResourceOptions(parent=parent, depends_on=cast(Sequence[Any], [gates]))
        self.child_opts = pulumi.ResourceOptions.merge(before, waiting)
        """The options of each of the service's resources: none is made or changed before all images have passed."""

    def image(self, verify_name: str) -> pulumi.Output[str]:
        """An image, once it has passed."""
        return self._passed[verify_name]


def _fingerprint(given: Mapping[str, Any]) -> pulumi.Output[str]:
    """A hash of the arguments, without the values of secrets, of which not even a hash may stand in state."""

    def hashed(value: Any) -> str:
        return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]

    return pulumi.Output.from_input(_public_parts(given)).apply(hashed)


def _public_parts(value: Any, key: str | None = None) -> Any:
    if isinstance(value, pulumi.Output | Awaitable):
        output: pulumi.Output[Any] = pulumi.Output.from_input(cast(Any, value))
        return public_map(output) if key in MAPS else public(output)
    if isinstance(value, Mapping):
        return {key: _public_parts(item, key) for key, item in cast(Mapping[str, Any], value).items()}
    if isinstance(value, list):
        return [_public_parts(item) for item in cast(list[Any], value)]
    return value


def physical_name(logical: str, limit: int) -> str | None:
    """The cloud's name for a resource; None: Pulumi's automatic one fits within the limit.

    A shortened name is made unique by a hash of the resource's whole address, and stays the same from run to run.

    Args:
        logical: the resource's name in the program.
        limit: the longest name that the cloud takes, in characters.
    """
    if len(logical) + RANDOM_SUFFIX <= limit:
        return None
    return unique_name(logical, limit)


def unique_name(logical: str, limit: int) -> str:
    """A name of at most `limit` characters, unique over projects and stacks, where Pulumi makes none."""
    address = f"{pulumi.get_project()}/{pulumi.get_stack()}/{logical}"
    digest = hashlib.sha256(address.encode()).hexdigest()[: RANDOM_SUFFIX - 1]
    return f"{logical[: limit - RANDOM_SUFFIX]}-{digest}"
