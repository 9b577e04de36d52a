from hypothesis import HealthCheck, settings

# The same examples each time: a test that fails by chance is one that nobody believes. No deadline: machines differ.
settings.register_profile(
    "here", derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("here")
