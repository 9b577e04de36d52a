"""What a step does when the engine, a CI job or a person runs it. Nothing here knows of Pulumi."""
