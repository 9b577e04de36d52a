"""The `security.scan` section, as models: what is looked for, what closes the gate, and what doesn't count."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from sc_secure.policy.age import parse_age
from sc_secure.policy.block import Block
from sc_secure.policy.ignore_rule import MAX_RULES, IgnoreRule
from sc_secure.policy.limits import DEFAULT_TOOLS
from sc_secure.policy.output import Output

Threshold = Literal["critical", "high", "medium", "low", "negligible", "unknown"]
"""What a policy names: findings of that severity and worse."""
MAX_VEX = 20
"""How many VEX documents a policy names at most: each is a part of the command."""
VexPath = Annotated[str, Field(min_length=1, max_length=1024)]


def _checked(text: str) -> str:
    parse_age(text)
    return text


Age = Annotated[str, AfterValidator(_checked)]
"""An age, as the `security:` block writes it: the model keeps the text, since the command shows it."""


class ScanTool(Block):
    """One scanner."""

    name: Literal["grype", "trivy"]
    """The scanner's name."""
    required: bool = True
    """A scanner that can't run fails the scan. `false`: it is left out with a warning, as long as another one runs."""
    enabled: bool = True
    """Run this scanner."""
    fail_on: Threshold | None = None
    """Findings of this severity and worse close the gate; with `scan.failOn`, the stricter of the two counts."""
    warn_on: Threshold | None = None
    """Findings of this severity and worse are warned of."""


class Scan(Block):
    """Looking for known vulnerabilities, and what to do about them."""

    enabled: bool = True
    """Scan the image."""
    required: bool = True
    """A scan that can't be done stops all that comes after it. `false`: a warning, and the next update tries again."""
    fail_on: Threshold | None = None
    """Findings of this severity and worse close the gate. `critical` when nothing is said here or at the tool."""
    warn_on: Threshold | None = None
    """Findings of this severity and worse are warned of."""
    tools: list[ScanTool] = Field(default_factory=lambda: [ScanTool(name=name) for name in DEFAULT_TOOLS])
    """The scanners."""
    only_fixed: bool = False
    """Findings without a fixed version don't close the gate by their severity."""
    ignore: list[IgnoreRule] = Field(default_factory=list[IgnoreRule])
    """Findings that somebody has looked at, and that don't count until a day."""
    vex: list[VexPath] = Field(default_factory=list[str])
    """OpenVEX 0.2.0 documents, as paths relative to the project: what they clear doesn't count."""
    kev: bool = False
    """Findings that are known to be exploited (CISA's KEV catalogue) close the gate, whatever their severity."""
    epss_above: float | None = Field(default=None, ge=0, lt=1)
    """Findings whose EPSS probability is above this close the gate, whatever their severity."""
    rescan_after: Age | None = None
    """Scan again once the last scan is older than this, as `24h` or `7d`: the next update does."""
    max_database_age: Age | None = None
    """How old the vulnerability database may be, as `120h` or `5d`. What the scanner allows when not said."""
    output: Output = Field(default_factory=Output)
    """Where a copy of the report is kept."""
    attest: bool = True
    """Attach the scan's result to the image as a signed attestation, where signing is on."""

    @model_validator(mode="after")
    def _one_tool_runs(self) -> Scan:
        if self.enabled and not any(tool.enabled for tool in self.tools):
            raise ValueError(
                "tools: no scanner is enabled: nothing would be scanned; set scan.enabled to false instead"
            )
        if len({tool.name for tool in self.tools}) < len(self.tools):
            raise ValueError("tools: a scanner stands there twice; keep one of them")
        return self

    @model_validator(mode="after")
    def _exceptions_are_few(self) -> Scan:
        if len(self.ignore) > MAX_RULES:
            raise ValueError(f"ignore: more than {MAX_RULES} rules; write OpenVEX statements instead (vex)")
        rules = [(rule.id.upper(), rule.package) for rule in self.ignore]
        twice = [rule.what for rule, known in zip(self.ignore, rules, strict=True) if rules.count(known) > 1]
        if twice:
            raise ValueError(f"ignore: {twice[0]} stands there twice; keep one of them")
        if len(self.vex) > MAX_VEX or len(set(self.vex)) < len(self.vex):
            raise ValueError(f"vex: at most {MAX_VEX} documents, each once")
        return self

    @property
    def running(self) -> list[ScanTool]:
        """The scanners that are switched on."""
        return [tool for tool in self.tools if tool.enabled]

    @property
    def effective_fail_on(self) -> Threshold:
        """The threshold for all scanners. A scanner that runs alone has no other: the stricter of both."""
        return _strictest([self.fail_on, *(tool.fail_on for tool in self._alone)]) or "critical"

    @property
    def effective_warn_on(self) -> Threshold | None:
        """The threshold of warnings for all scanners, if one is named."""
        return _strictest([self.warn_on, *(tool.warn_on for tool in self._alone)])

    @property
    def _alone(self) -> list[ScanTool]:
        return self.running if len(self.running) == 1 else []


def _strictest(thresholds: list[Threshold | None]) -> Threshold | None:
    """The threshold that takes in the most severities."""
    order: tuple[Threshold, ...] = ("unknown", "negligible", "low", "medium", "high", "critical")
    return next((threshold for threshold in order if threshold in thresholds), None)
