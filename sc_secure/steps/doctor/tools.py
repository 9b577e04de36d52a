"""The programs: those that the policy's steps run, those that a deployment needs besides, and the rest."""

from __future__ import annotations

from sc_secure.errors import ToolMissing
from sc_secure.steps.doctor.finding import Finding, Findings, ok, wrong
from sc_secure.steps.doctor.situation import Situation
from sc_secure.tools.table import TOOLS, Tool
from sc_secure.tools.versions import UNKNOWN, require

_WITHOUT = {
    "trivy": "only a scan whose scan.tools names it needs it",
    "pulumi-language-python": "only a Pulumi program in Python needs it, and it comes with pulumi",
    "pulumi-language-yaml": "only a Pulumi program in YAML needs it, and it comes with pulumi",
    "crane": "no step needs it",
}
"""What a tool that isn't there would be for."""


def look(situation: Situation) -> Findings:
    """Each tool of a step, a scanner, and of development."""
    needs = _needs(situation)
    for tool in TOOLS:
        if tool.purpose in ("step", "scanner", "development"):
            yield _look(tool, needs.get(tool.name), situation)


def _needs(situation: Situation) -> dict[str, bool]:
    """What the policy's steps run: whether a deployment needs it, or goes on without, with a warning."""
    security, needs = situation.security, dict[str, bool]()
    if security is None:
        return {tool.name: True for tool in TOOLS if tool.purpose == "step"}
    if not security.enabled:
        return needs

    def need(name: str, required: bool) -> None:
        needs[name] = needs.get(name, False) or required

    if security.sbom.enabled:
        need("syft", security.sbom.required)
    for scanner in security.scan.running if security.scan.enabled else []:
        required = security.scan.required and scanner.required
        need(scanner.name, required)
        if scanner.name == "grype":  # it reads the image's catalogue
            need("syft", required)
    if security.signing.enabled:
        need("cosign", security.signing.required)
    return needs


def _look(tool: Tool, needed: bool | None, situation: Situation) -> Finding:
    """Look at one; `needed` is None where no step of the policy runs it."""
    check = f"tool.{tool.name}"
    try:
        found = require(tool, situation.runner, situation.environ)
    except ToolMissing as error:
        if needed is not None:
            return wrong(check, error, needed=needed)
        if tool.name == "pulumi":
            return wrong(check, error, needed=False, detail=f"{error.message}: only the command line works without")
        return ok(check, f"{error.message}; {_WITHOUT.get(tool.name, 'no step of this policy needs it')}")
    if found.version != UNKNOWN:
        return ok(check, f"{tool.name} {found.version}")
    unknown = ToolMissing(
        f"{tool.name} doesn't know its version; {tool.minimum} or newer is needed",
        advice=f"install a released build of {tool.minimum} or newer (tested: {tool.pinned})",
    )
    return wrong(check, unknown, needed=False) if needed is not None else ok(check, unknown.message)
