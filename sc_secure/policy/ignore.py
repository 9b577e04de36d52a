"""What a policy's ignore rules say of findings, on one day.

Without their model: a scan without any needn't load what models are made with, which takes as long as all else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

from sc_secure.policy.finding import Finding

if TYPE_CHECKING:
    from sc_secure.policy.ignore_rule import IgnoreRule


class IgnoreRules:
    """The rules of a policy, on one day.

    Args:
        rules: all of them.
        today: the day, in UTC, on which they are asked.
    """

    def __init__(self, rules: Sequence[IgnoreRule], today: date) -> None:
        self._today = today
        self.rules = tuple(rules)
        self._by_id: dict[str, list[IgnoreRule]] = {}
        for rule in rules:
            self._by_id.setdefault(rule.id.upper(), []).append(rule)

    def matching(self, finding: Finding) -> list[IgnoreRule]:
        """Every rule that names this finding, the expired ones too."""
        if not self._by_id:
            return []
        rules = (rule for name in finding.names for rule in self._by_id.get(name, ()))
        return [rule for rule in rules if rule.concerns(finding)]

    def why(self, finding: Finding) -> str | None:
        """Why this finding doesn't count; None: no rule that still counts names it."""
        for rule in self.matching(finding):
            if not rule.expired(self._today):
                return f"scan.ignore: {rule.flag}"
        return None

    def expired(self) -> list[IgnoreRule]:
        """The rules that no longer count."""
        return [rule for rule in self.rules if rule.expired(self._today)]

    def matches(self, findings: Iterable[Finding]) -> dict[IgnoreRule, int]:
        """How many of the findings each rule names."""
        counts = dict.fromkeys(self.rules, 0)
        for finding in findings if counts else ():
            for rule in self.matching(finding):
                counts[rule] += 1
        return counts
