"""The JSON Schemas of `release.json`, and of what the release commands and `doctor` print, as their models have them.

`.venv/bin/python -m devtools.release_schema` writes them anew. They are checked in so that a change of the form shows
in a diff.
"""

import json
from pathlib import Path

from devtools.cache import REPOSITORY
from devtools.console import run_main

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schemas() -> dict[Path, str]:
    """Each file, and its text."""
    from sc_secure.report.document import Release, ReleaseResult  # noqa: PLC0415 - needs the virtual environment
    from sc_secure.steps.doctor.finding import Checks  # noqa: PLC0415 - as above

    models = {"release": Release, "release-result": ReleaseResult, "doctor": Checks}
    return {
        REPOSITORY / f"docs/{name}.schema.json": json.dumps(
            {"$schema": _DRAFT, **model.model_json_schema(by_alias=True, mode="validation")}, indent=2
        )
        + "\n"
        for name, model in models.items()
    }


def main() -> None:
    """Writes them."""
    for file, text in schemas().items():
        file.write_text(text)


if __name__ == "__main__":
    run_main(main)
