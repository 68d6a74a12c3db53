"""What all tests share: one hypothesis profile. No test asserts a time, so there is no deadline either."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "dedup", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("dedup")
