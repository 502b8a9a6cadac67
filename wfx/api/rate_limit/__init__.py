"""Rate limit: how many requests may come from one address in a window of time."""

from wfx.api.rate_limit.middleware import Buckets, RateLimit

__all__ = ["Buckets", "RateLimit"]
