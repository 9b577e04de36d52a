"""The scanners, in one table: a new one is one file with the interface `Scanner`, and a line here."""

from sc_secure.tools.grype import Grype

SCANNERS = {"grype": Grype}
"""Each scanner's class, by the name that `--tool` takes."""
DEFAULT_TOOLS = ("grype",)
