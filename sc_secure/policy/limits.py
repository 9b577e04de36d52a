"""What holds for flags, policies and arguments alike, without their models, which most commands don't need to load."""

MAX_ATTEMPTS = 10
MAX_BASE_DELAY = 60.0
"""Seconds."""
DEFAULT_TOOLS = ("grype",)
"""What an image is scanned with when nothing is said."""
