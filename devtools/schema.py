"""The package's schema, `schema.json`, as Pulumi infers it from the components: `make schema` writes it anew.

It is checked in so that a change of the contract shows in a diff.
"""

import importlib.util
import inspect
import json

from devtools.cache import REPOSITORY
from devtools.console import run_main

FILE = REPOSITORY / "schema.json"


def infer() -> str:
    """The schema of the components that the plugin serves, as text."""
    from pulumi.provider.experimental.component import ComponentProvider  # noqa: PLC0415 - needs the virtual environment

    import sc_secure  # noqa: PLC0415

    # What the repository's root runs as a plugin, loaded under a name of its own.
    spec = importlib.util.spec_from_file_location("sc_secure_plugin", REPOSITORY / "__main__.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(REPOSITORY / "__main__.py")
    plugin = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plugin)
    provider = ComponentProvider(plugin.COMPONENTS, "sc-secure", None, sc_secure.__version__)
    schema = json.loads(provider.schema)
    for described in (*schema["resources"].values(), *schema["types"].values()):
        # Python 3.13 takes the indentation out of docstrings, older ones leave it in.
        described["description"] = inspect.cleandoc(described["description"])
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """`make schema`."""
    FILE.write_text(infer())


if __name__ == "__main__":
    run_main(main)
