"""How requests are shared out among revisions: https://cloud.google.com/run/docs/rollouts-rollbacks-traffic-migration"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi_gcp as gcp

from sc_secure.components._problems import Problems
from sc_secure.components.cloud_run.limits import CONTAINER_NAME

LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"

MAX_TAG_AND_SERVICE = 46
"""Characters: both stand in one label of the tag's host name, with what Google puts between and behind them."""

_TAG = re.compile(r"[a-z][a-z0-9-]+[a-z0-9]")
_WHOLE = 100


def check_traffic(problems: Problems, given: Sequence[Mapping[str, Any]] | None, name_length: int) -> None:
    """The shares.

    Args:
        problems: where to say what is wrong.
        given: the argument; None: there is none.
        name_length: how many characters the service's name has.
    """
    if given is None:
        return
    for index, share in enumerate(given):
        path = f"traffic[{index}]"
        problems.within(f"{path}.percent", share["percent"], 0, _WHOLE)
        if bool(share.get("latest")) == ("revision" in share):
            problems.add(path, "either latest: true or the name of a revision is needed")
        revision_reason = "a revision's short name is needed, as in the output revision"
        problems.matches(f"{path}.revision", share.get("revision"), CONTAINER_NAME, revision_reason)
        if share["percent"] == 0 and "tag" not in share:
            problems.add(f"{path}.percent", "0 is for a revision with a tag")
        _check_tag(problems, f"{path}.tag", share.get("tag"), name_length)
    whole = sum(share["percent"] for share in given)
    if whole != _WHOLE:
        problems.add("traffic", f"the percents add up to {whole}, and have to be {_WHOLE}")
    tags = [share["tag"] for share in given if "tag" in share]
    for tag in sorted({tag for tag in tags if tags.count(tag) > 1}):
        problems.add("traffic", f"the tag {tag} is given more than once")


def _check_tag(problems: Problems, path: str, tag: str | None, name_length: int) -> None:
    tag_reason = "at least 3 lower-case letters, digits and hyphens, from a letter to no hyphen"
    problems.matches(path, tag, _TAG, tag_reason)
    if tag is not None and len(tag) + name_length > MAX_TAG_AND_SERVICE:
        reason = f"with the service's name ({name_length} characters) at most {MAX_TAG_AND_SERVICE} characters"
        problems.add(path, f"{reason}; a shorter service_name leaves more")


def traffic_args(given: Sequence[Mapping[str, Any]] | None) -> list[gcp.cloudrunv2.ServiceTrafficArgs]:
    """The shares; also when all goes to the newest revision, so that a rollback that is taken out is undone."""
    return [
        gcp.cloudrunv2.ServiceTrafficArgs(
            type=LATEST if share.get("latest") else REVISION,
            revision=share.get("revision"),
            percent=share["percent"],
            tag=share.get("tag"),
        )
        for share in given or [{"latest": True, "percent": _WHOLE}]
    ]
