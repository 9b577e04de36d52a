"""How an image is built: its arguments are checked here, and the resource of its builder is declared."""

import csv
import importlib.util
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import pulumi

from sc_secure.components._launcher import project_root
from sc_secure.components._memory import Later
from sc_secure.components._validate import InvalidArgs, digest_reference, portable_path
from sc_secure.components._wholes import made_of, names_of, now, once_known
from sc_secure.components.build_args import BuildArgs, RegistryArgs
from sc_secure.policy.security import near_miss

DOCKER_BUILD = "docker-build"
BUILDERS = ("docker", DOCKER_BUILD)

_OF_DOCKER_BUILD: Mapping[str, str] = {
    "platforms": "the docker builder builds for one platform: say it as platform",
    "secrets": "the docker builder has no build secrets, and a build argument would stay in the image",
    "cache_from": "the docker builder has no cache but the engine's own",
    "cache_to": "the docker builder has no cache but the engine's own",
    "network": "the docker builder leaves the network of RUN steps to the engine",
    "registries": "the docker builder logs in to one registry: say it as registry",
}
"""The arguments that one builder alone has, each with what to say to the other's user."""

_RECORDED = ("context", "dockerfile", "builder", "platform", "platforms", "target", "args")
_MAX_PLATFORMS = 16
"""How many images of an index the steps judge."""
_ARCHITECTURES: Mapping[str, str] = {
    "darwin": "386 amd64 arm arm64",
    "dragonfly": "amd64",
    "freebsd": "386 amd64 arm",
    "linux": "386 amd64 arm arm64 mips64 mips64le ppc64le riscv64 s390x",
    "netbsd": "386 amd64 arm",
    "openbsd": "386 amd64 arm",
    "plan9": "386 amd64",
    "solaris": "amd64",
    "windows": "386 amd64",
}
_PLATFORMS = tuple(f"{system}/{each}" for system, all_of_it in _ARCHITECTURES.items() for each in all_of_it.split())
"""What the SDK has a name for: of others it can't read the outputs. To BuildKit, linux/arm is linux/arm/v7."""
_SECRET = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_NETWORKS = ("default", "none", "host")
_CACHES = ("registry", "local", "gha", "s3", "azblob")
_CACHE_CREDENTIALS = frozenset({"token", "secret_access_key", "session_token"})


def checked_build(component: str, build: BuildArgs) -> BuildArgs:
    """How to build, with paths relative to the project.

    Raises:
        InvalidArgs: a path outside the project, a value that no builder takes, or an argument of the other builder.
    """
    portable: BuildArgs = {**build}
    root = project_root()
    portable["context"] = portable_path(component, "build.context", build["context"], root)
    if "dockerfile" in build:
        portable["dockerfile"] = portable_path(component, "build.dockerfile", build["dockerfile"], root)
    check_build(component, build)
    if "secrets" in build:
        portable["secrets"] = once_known(component, build["secrets"], _secret_problems)
    for key in ("cache_from", "cache_to"):
        if (entries := build.get(key)) is not None:
            portable[key] = _checked_caches(component, key, entries)
    return portable


def check_build(component: str, build: BuildArgs) -> None:
    """Looks at how to build, but for the paths.

    Raises:
        InvalidArgs: a value that no builder takes, or an argument of the other builder.
    """
    if problems := [(f"build.{path}", why) for path, why in _problems(build)]:
        raise InvalidArgs(component, problems)


def recorded(build: BuildArgs) -> BuildArgs:
    """What provenance records of it: no secret, no registry and no cache."""
    return cast(BuildArgs, {key: value for key, value in build.items() if key in _RECORDED})


def installed(component: str, build: BuildArgs) -> None:
    """Sees to it that the builder's package is there.

    Raises:
        InvalidArgs: it isn't.
    """
    if build.get("builder") == DOCKER_BUILD and importlib.util.find_spec("pulumi_docker_build") is None:
        reason = "docker-build needs the package pulumi-docker-build: pip install 'sc-secure[docker-build]'"
        raise InvalidArgs(component, [("build.builder", reason)])


def build_words(build: Mapping[str, Any]) -> list[str]:
    """The words of a command that say how the image was built, without its arguments' names."""
    words: list[str] = []
    for key in ("context", "dockerfile", "target"):
        if key in build:
            words += [f"--{key}", build[key]]
    for platform in _platforms(build):
        words += ["--platform", platform]
    return words + (["--builder", DOCKER_BUILD] if build.get("builder") == DOCKER_BUILD else [])


def built(
    name: str,
    image_name: pulumi.Input[str],
    build: BuildArgs,
    registry: RegistryArgs | None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    """Declares the image that the builder makes; it as `repository@sha256:…`, once it is pushed.

    Args:
        name: the resource's.
        image_name: where it is pushed to: `repository:tag`.
        build: as `checked_build` returned it.
        registry: the credentials for the push.
        opts: the resource's options.
    """
    declare = _built_by_docker_build if build.get("builder") == DOCKER_BUILD else _built_by_docker
    return digest_reference("SecuredImage", "image_name", declare(name, image_name, build, registry, opts))


def _built_by_docker(
    name: str,
    image_name: pulumi.Input[str],
    build: BuildArgs,
    registry: RegistryArgs | None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    import pulumi_docker as docker  # noqa: PLC0415 - a tenth of a second, for those who build here alone

    image = docker.Image(
        name,
        image_name=image_name,
        build=docker.DockerBuildArgs(
            context=build["context"],
            dockerfile=build.get("dockerfile"),
            platform=build.get("platform"),
            target=build.get("target"),
            args=build.get("args"),
        ),
        registry=docker.RegistryArgs(
            server=registry["server"], username=registry.get("username"), password=_password(registry)
        )
        if registry
        else None,
        opts=opts,
    )
    return image.repo_digest


def _built_by_docker_build(
    name: str,
    image_name: pulumi.Input[str],
    build: BuildArgs,
    registry: RegistryArgs | None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Output[str]:
    import pulumi_docker_build as docker_build  # noqa: PLC0415 - an extra, for those who ask for it

    secrets = build.get("secrets", {})
    # A registry that is an output as a whole is a mapping of outputs by now.
    logins = [*([registry] if registry else []), *cast(Sequence[RegistryArgs], build.get("registries", []))]
    image = docker_build.Image(
        name,
        push=True,
        # By itself it builds in each preview.
        build_on_preview=False,
        tags=[image_name],
        context=docker_build.BuildContextArgs(location=build["context"]),
        dockerfile=docker_build.DockerfileArgs(location=build["dockerfile"]) if "dockerfile" in build else None,
        platforms=cast(Any, _platforms(build)) or None,
        target=build.get("target"),
        build_args=build.get("args"),
        secrets=_as_secrets(secrets),
        # As everywhere, a new credential makes no new image; BuildKit's own cache doesn't look at it either.
        ignore_secrets_in_diff_calculation=names_of(secrets) or None,
        cache_from=made_of(
            build.get("cache_from", []), lambda all_of_it: [docker_build.CacheFromArgs(raw=each) for each in all_of_it]
        )
        or None,
        cache_to=made_of(
            build.get("cache_to", []), lambda all_of_it: [docker_build.CacheToArgs(raw=each) for each in all_of_it]
        )
        or None,
        network=cast(Any, build.get("network")),
        registries=[
            docker_build.RegistryArgs(
                address=login["server"], username=login.get("username"), password=_password(login)
            )
            for login in logins
        ]
        or None,
        # Its plugin would delete the image from the registry, which may be deployed: by this digest, whoever built it.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(retain_on_delete=True)),
    )
    return _pushed(name, image_name, image.digest)


def _password(registry: RegistryArgs) -> pulumi.Output[str] | None:
    return pulumi.Output.secret(registry["password"]) if "password" in registry else None


def _as_secrets(values: pulumi.Input[Mapping[str, pulumi.Input[str]]]) -> Any:
    """The values as secrets, whatever the program took them for; None: there are none."""
    if isinstance(values, pulumi.Output):
        return pulumi.Output.secret(cast(Any, values))
    each = cast(Mapping[str, pulumi.Input[str]], values)
    return {key: pulumi.Output.secret(value) for key, value in each.items()} or None


def _pushed(name: str, image_name: pulumi.Input[str], digest: pulumi.Output[str]) -> pulumi.Output[str]:
    """The image by its digest.

    The plugin's `ref` won't do: it has no digest where the registry's name is left out. And where only the context's
    files have changed, a preview gets an empty digest from it, as if that were known.
    """
    preview = pulumi.runtime.is_dry_run()

    def reference(got: list[Any]) -> str:
        if not got[1] and not preview:
            raise pulumi.RunError(f"{name}: the builder named no digest, so nothing is known to be pushed")
        return f"{got[0]}@{got[1]}" if got[1] else ""

    whole = pulumi.Output.all(image_name, digest).apply(reference)

    async def value() -> str:
        return cast(str, await whole.future(with_unknowns=True))

    async def known() -> bool:
        return await whole.is_known() and bool(await whole.future())

    return pulumi.Output(whole.resources(), Later(value), Later(known), Later(whole.is_secret))


def _platforms(build: Mapping[str, Any]) -> list[str]:
    return build.get("platforms") or ([build["platform"]] if "platform" in build else [])


def _problems(build: BuildArgs) -> Iterator[tuple[str, str]]:
    builder = build.get("builder", "docker")
    if builder not in BUILDERS:
        yield "builder", f"unknown builder; {near_miss(builder, BUILDERS)}"
    elif builder != DOCKER_BUILD:
        for key, reason in _OF_DOCKER_BUILD.items():
            if key in build:
                yield key, f"{reason}, or build with builder docker-build"
    else:
        yield from _problems_of_docker_build(build)


def _problems_of_docker_build(build: BuildArgs) -> Iterator[tuple[str, str]]:
    platforms = build.get("platforms")
    if platforms is not None and "platform" in build:
        yield "platform", "excludes platforms: name it there"
    if platforms is not None and not 1 <= len(platforms) <= _MAX_PLATFORMS:
        yield "platforms", f"between 1 and {_MAX_PLATFORMS} platforms: each one's image is judged by itself"
    if "platform" in build and (reason := _platform_problem(build["platform"])):
        yield "platform", reason
    for index, platform in enumerate(platforms or []):
        if reason := _platform_problem(platform):
            yield f"platforms[{index}]", reason
        elif platform in (platforms or [])[:index]:
            yield f"platforms[{index}]", "is named twice"
    for path, reason in _secret_problems(now(build.get("secrets"), {})):
        yield path.removeprefix("build."), reason
    if (network := build.get("network")) is not None and network not in _NETWORKS:
        yield "network", f"unknown network; {near_miss(network, _NETWORKS)}"
    for key in ("cache_from", "cache_to"):
        for path, reason in _cache_problems(key, now(build.get(key), [])):
            yield path.removeprefix("build."), reason


def _secret_problems(secrets: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in secrets:
        if not _SECRET.fullmatch(name):
            reason = "letters, digits, dots, hyphens and underscores, as in --mount=type=secret,id=…"
            yield f"build.secrets.{name}", reason


def _cache_problems(key: str, entries: Sequence[Any]) -> Iterator[tuple[str, str]]:
    for index, entry in enumerate(entries):
        if isinstance(entry, str) and (reason := _cache_problem(key, entry)):
            yield f"build.{key}[{index}]", reason


def _platform_problem(platform: str) -> str:
    return "" if platform in _PLATFORMS else f"unknown platform; {near_miss(platform, _PLATFORMS)}"


def _checked_caches(component: str, key: str, entries: pulumi.Input[Sequence[pulumi.Input[str]]]) -> Any:
    """The entries, of which outputs are checked when their values are known."""
    if isinstance(entries, pulumi.Output):
        return once_known(component, entries, lambda known: _cache_problems(key, known))
    plain = cast(Sequence[pulumi.Input[str]], entries)
    return [_checked_cache(component, key, index, each) for index, each in enumerate(plain)]


def _checked_cache(component: str, key: str, index: int, entry: pulumi.Input[str]) -> pulumi.Input[str]:

    def check(known: str) -> str:
        if reason := _cache_problem(key, known):
            raise InvalidArgs(component, [(f"build.{key}[{index}]", reason)])
        return known

    return entry if isinstance(entry, str) else pulumi.Output.from_input(entry).apply(check)


def _cache_problem(key: str, entry: str) -> str:
    try:
        [fields] = list(csv.reader([entry], strict=True))
    except (ValueError, csv.Error):
        fields = []
    if not fields or not all("=" in field for field in fields):
        return "pairs of key and value are expected, as type=registry,ref=registry.example/app:cache"
    values = dict(field.split("=", 1) for field in fields)
    kinds = _CACHES if key == "cache_from" else (*_CACHES, "inline")
    if values.get("type") not in kinds:
        return f"its type is unknown; {near_miss(values['type'], kinds)}" if "type" in values else "its type is missing"
    if _CACHE_CREDENTIALS & values.keys():
        return (
            "a credential would stand in the state as a plain text: leave it out, and the builder takes it from the "
            "environment (AWS_SECRET_ACCESS_KEY, ACTIONS_RUNTIME_TOKEN)"
        )
    if any(values.get(name, "").startswith("/") for name in ("src", "dest")):
        return "an absolute path differs from machine to machine; use a path relative to Pulumi.yaml"
    return ""
