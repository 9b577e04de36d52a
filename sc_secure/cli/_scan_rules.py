"""The flags of a scan's policy, one a policy item, and the rules that they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import click

from sc_secure.cli._shared import Command, Number
from sc_secure.policy.age import parse_age
from sc_secure.policy.decision import Policy, Thresholds
from sc_secure.policy.rules import Rules
from sc_secure.policy.severity import EVERY_WORD, Severity
from sc_secure.steps.scanners import SCANNERS

if TYPE_CHECKING:
    from sc_secure.policy.ignore_rule import IgnoreRule

_SEVERITY = click.Choice(EVERY_WORD)


class ScanFlags(TypedDict):
    """The values of the `scan_options`."""

    fail_on: str
    warn_on: str | None
    tool_fail_on: tuple[tuple[str, Severity], ...]
    tool_warn_on: tuple[tuple[str, Severity], ...]
    only_fixed: bool
    ignore: tuple[IgnoreRule, ...]
    vex: tuple[Path, ...]
    kev: bool
    epss_above: float | None
    max_database_age: str | None


class _ToolSeverity(click.ParamType[tuple[str, Severity]]):
    """`TOOL=SEVERITY`."""

    name = "TOOL=SEVERITY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Severity]:
        tool, _, word = str(value).partition("=")
        if tool not in SCANNERS or word not in EVERY_WORD:
            tools, words = ", ".join(SCANNERS), ", ".join(EVERY_WORD)
            self.fail(f"TOOL=SEVERITY is expected; tools: {tools}; severities: {words}", param, ctx)
        return tool, Severity.parse(word)


class _Rule(click.ParamType["IgnoreRule"]):
    """`ID[ in PACKAGE] until DATE: REASON`."""

    name = "RULE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> IgnoreRule:
        from pydantic import ValidationError  # noqa: PLC0415 - light start

        from sc_secure.policy.ignore_rule import parse_rule  # noqa: PLC0415 - light start

        try:
            return parse_rule(str(value))
        except ValidationError as error:
            problems = error.errors(include_input=False, include_url=False)
            said = "; ".join(f"{each['loc'][0]}: {each['msg'].removeprefix('Value error, ')}" for each in problems)
            self.fail(said, param, ctx)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class _Age(click.ParamType[str]):
    """`120h` or `5d`; kept as it is written, since the report shows it."""

    name = "AGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            parse_age(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


def scan_options(command: Command) -> Command:
    """The flags of a scan's policy: they make `ScanFlags`."""
    options = (
        click.option(
            "--fail-on",
            type=_SEVERITY,
            default="critical",
            show_default=True,
            help="Findings of this severity and worse fail the scan.",
        ),
        click.option("--warn-on", type=_SEVERITY, help="Findings of this severity and worse are warned about."),
        click.option(
            "--tool-fail-on",
            type=_ToolSeverity(),
            multiple=True,
            help="As --fail-on, for what this scanner found; the stricter counts. May be given again.",
        ),
        click.option(
            "--tool-warn-on",
            type=_ToolSeverity(),
            multiple=True,
            help="As --warn-on, for what this scanner found. May be given again.",
        ),
        click.option(
            "--only-fixed", is_flag=True, help="Findings that no version fixes yet don't fail the scan by severity."
        ),
        click.option(
            "--ignore",
            type=_Rule(),
            multiple=True,
            help="A finding that doesn't count until a day: 'ID in PACKAGE until YYYY-MM-DD: REASON', where "
            "PACKAGE is name or name@version, and ` in PACKAGE` may be left out. May be given again.",
        ),
        click.option(
            "--vex",
            type=click.Path(path_type=Path),
            multiple=True,
            metavar="FILE",
            help="An OpenVEX 0.2.0 document; what it clears for this image doesn't count. May be given again.",
        ),
        click.option("--kev", is_flag=True, help="Findings that are known to be exploited (CISA's KEV) fail the scan."),
        click.option(
            "--epss-above",
            type=Number(0, 1, max_open=True),
            metavar="P",
            help="Findings with a higher probability of being exploited (EPSS, 0 to 1) fail the scan.",
        ),
        click.option(
            "--max-database-age",
            type=_Age(),
            help="How old the vulnerability database may be, as 120h or 5d.  [default: what the scanner allows]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def rules_of(flags: ScanFlags) -> Rules:
    """The rules that the flags say."""
    fail_on, warn_on = dict(flags["tool_fail_on"]), dict(flags["tool_warn_on"])
    policy = Policy(
        fail_on=Severity.parse(flags["fail_on"]),
        warn_on=Severity.parse(flags["warn_on"]) if flags["warn_on"] else None,
        only_fixed=flags["only_fixed"],
        tools={tool: Thresholds(fail_on.get(tool), warn_on.get(tool)) for tool in fail_on | warn_on},
        kev=flags["kev"],
        epss_above=flags["epss_above"],
    )
    return Rules(policy, flags["ignore"], flags["vex"], flags["max_database_age"])
