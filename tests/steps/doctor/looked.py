"""What `sc-secure doctor --output json` printed, by check."""

import json
from typing import Any

import jsonschema

from devtools.cache import REPOSITORY
from tests.command_line import Outcome

SCHEMA = json.loads((REPOSITORY / "docs/doctor.schema.json").read_text())


def rows(done: Outcome) -> dict[str, dict[str, Any]]:
    assert done.stdout.count("\n") == 1, done.stderr
    listed = json.loads(done.stdout)
    jsonschema.Draft202012Validator(SCHEMA).validate(listed)
    found = {each["check"]: each for each in listed}
    assert len(found) == len(listed)
    # What is wrong says what to do.
    assert all(each["remedy"] for each in listed if each["status"] != "ok"), listed
    return found


def status(done: Outcome, group: str) -> dict[str, str]:
    """The status of each check of a group, without the group's name."""
    return {
        name.removeprefix(f"{group}."): each["status"]
        for name, each in rows(done).items()
        if name == group or name.startswith(f"{group}.")
    }
