"""All that decides a scan, as its command's flags say it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sc_secure.policy.decision import Policy

if TYPE_CHECKING:
    from sc_secure.policy.ignore_rule import IgnoreRule


@dataclass(frozen=True)
class Rules:
    """The policy, its exceptions, and how new the database must be."""

    policy: Policy
    ignore: tuple[IgnoreRule, ...] = ()
    vex: tuple[Path, ...] = ()
    """OpenVEX documents."""
    max_database_age: str | None = None
    """As `120h` or `5d`; None: what the scanner itself allows."""
