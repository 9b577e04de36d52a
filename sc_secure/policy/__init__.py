"""The `security:` block: its models, loading it, and deciding over findings. Imports nothing else of this package."""
