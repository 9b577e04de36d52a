"""The limits of what a policy may say of trying again: for flags, policies and arguments alike."""

MAX_ATTEMPTS = 10
MAX_BASE_DELAY = 60.0
"""Seconds."""
