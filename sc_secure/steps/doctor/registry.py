"""The registry: whether it answers, who we are to it, and what it lets us do."""

from __future__ import annotations

from functools import cache

from sc_secure.context.cloud import helper_of
from sc_secure.context.credentials import Given, credentials_for, login, podman_file
from sc_secure.errors import InfrastructureError, NotAuthorised, ScSecureError
from sc_secure.steps.doctor.finding import Finding, Findings, ok, wrong
from sc_secure.steps.doctor.situation import Situation
from sc_secure.tools.reference import Place
from sc_secure.tools.registry import Credentials
from sc_secure.tools.registry_access import Access

_REACH = "check its name, and this machine's network, proxy (HTTPS_PROXY) and certificates (SSL_CERT_FILE)"
_LOG_IN = "`docker login {host}`, or name the variables with --registry-username-env and --registry-password-env"
_MAY_NOT_PUSH = "give this login the right to push, or log in as who has it: signatures are kept beside the image"


def look(situation: Situation) -> Findings:
    """Reach, login, and with a repository the rights in it. What an answer makes pointless isn't asked."""
    place = situation.place
    if place is None:
        return
    host = place.registry

    @cache
    def credentials() -> tuple[Credentials | None, str]:
        return _credentials(situation, place)

    def given() -> Credentials | None:
        return credentials()[0]

    access = Access(place, given)
    try:
        wanted = access.wants_login()
        yield ok("registry.reach", f"{host} answers")
    except ScSecureError as error:
        yield wrong("registry.reach", error, remedy=error.advice or _REACH)
        return
    try:
        _, source = credentials()
        if wanted:
            access.log_in()
        yield ok("registry.login", _who(host, source, wanted=wanted))
    except NotAuthorised as error:
        yield wrong("registry.login", error, remedy=_LOG_IN.format(host=host))
        return
    except ScSecureError as error:
        yield wrong("registry.login", error)
        return
    if place.repository:
        yield _pull(place, access)
        yield _push(situation, place, Access(place, given, push=True))
        yield from _referrers(access)


def _credentials(situation: Situation, place: Place) -> tuple[Credentials | None, str]:
    """The login that the steps would use, and where it is from; empty: there is none."""
    runner, environ, temp = situation.runner, situation.environ, situation.temp
    config = login(place.registry, Given(situation.named), runner, environ, temp, repository=place.repository)
    where = {**environ, "DOCKER_CONFIG": str(config)} if config else environ
    found = credentials_for(place.registry, runner, where, temp, repository=place.repository)
    if found is None:
        return None, ""
    runner.hide([found.password, found.identity_token])
    if situation.named:
        return found, f"{situation.named.username} and {situation.named.password}"
    if not config:
        return found, "docker's configuration"
    file = podman_file(place.registry, place.repository, environ)
    return found, f"{file}" if file else f"the cloud's identity ({helper_of(place.registry)})"


def _who(host: str, source: str, *, wanted: bool) -> str:
    if not wanted:
        return f"{host} asks for no login"
    return f"logged in by {source}" if source else f"anonymous: docker's and podman's have no login for {host}"


def _pull(place: Place, access: Access) -> Finding:
    try:
        there = access.may_pull()
    except ScSecureError as error:
        return wrong("registry.pull", error)
    name = place.name + (f"@{place.reference}" if ":" in place.reference else f":{place.reference}")
    if there:
        return ok("registry.pull", f"may read {name if place.reference else place.name}")
    if ":" in place.reference:
        gone = InfrastructureError(f"{name} isn't there", advice="push the image, or name another digest")
        return wrong("registry.pull", gone)
    return ok("registry.pull", f"may read {place.name}, in which nothing of that name is yet")


def _push(situation: Situation, place: Place, access: Access) -> Finding:
    # Whoever attaches nothing to an image that is there doesn't push.
    security = situation.security
    needed = security is None or (situation.signing is not None and situation.signing.required)
    try:
        if access.may_push():
            return ok("registry.push", f"may write to {place.name}")
    except NotAuthorised as error:
        return wrong("registry.push", error, needed=needed, remedy=_MAY_NOT_PUSH)
    except ScSecureError as error:
        return wrong("registry.push", error, needed=needed)
    unknown = InfrastructureError(
        f"there is no repository {place.name} yet",
        advice="make it, unless the program does (EcrRepository, ArtifactRegistryRepository): not every registry makes "
        "one with the first push",
    )
    return wrong("registry.push", unknown, needed=False)


def _referrers(access: Access) -> Findings:
    try:
        has = access.has_referrers()
    except ScSecureError as error:
        yield wrong("registry.referrers", error, needed=False)
        return
    if has is None:
        yield ok("registry.referrers", "can't be told before the repository is there")
    elif has:
        yield ok("registry.referrers", "has the referrers API")
    else:
        yield ok("registry.referrers", "no referrers API: signatures go under the tag sha256-…, which works as well")
