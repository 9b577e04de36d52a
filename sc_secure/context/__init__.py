"""Where we run: CI, git, registry credentials."""
