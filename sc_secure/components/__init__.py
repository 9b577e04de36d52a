"""The plan plane: what a Pulumi program declares. It imports pulumi and does no work: no subprocess, no network.

Modules with annotated components or arguments stay without `from __future__ import annotations`, `Literal`, unions and
quoted types: Pulumi's schema inference reads the annotations as they are.
"""
