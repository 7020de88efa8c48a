"""What holds for every test: the one Hypothesis profile."""

import hypothesis
from hypothesis import strategies

#: A busy machine is no mistake of the code, so no property test is judged by time or by how much it draws.
hypothesis.settings.register_profile(
    "ecs-reboot",
    deadline=None,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.data_too_large,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
)
hypothesis.settings.load_profile("ecs-reboot")


def pytest_collection_finish() -> None:
    """Build Hypothesis' tables of Unicode, which takes over a second where ``.hypothesis`` is new, before any test."""
    strategies.text().validate()
    strategies.characters(codec="utf-8", categories=("L", "N")).validate()
