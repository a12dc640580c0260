"""What all tests share."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings

_HOME = TemporaryDirectory(prefix="cachery-tests-")
os.environ.update(XDG_DATA_HOME=_HOME.name, XDG_CACHE_HOME=_HOME.name)  # nothing of the user is touched

pytest.register_assert_rewrite("cachery.testing.conformance")

STRESS = float(os.environ.get("CACHERY_STRESS", "0.01"))
"""The length of long tests: 1 is the full one, a hundredth the default."""

settings.register_profile("cachery", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("stress", parent=settings.get_profile("cachery"), max_examples=int(50 + 5000 * STRESS))
settings.load_profile("stress" if STRESS > 0.01 else "cachery")


@pytest.fixture
def stress() -> float:
    """Return the factor by which a long test is long."""
    return STRESS
