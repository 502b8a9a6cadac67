"""How the domain's tests generate their cases."""

from __future__ import annotations

from hypothesis import settings

# No deadline: a busy machine is not a wrong answer. Derandomised: a run says the same each time.
settings.register_profile("domain", deadline=None, derandomize=True)
settings.load_profile("domain")
