"""Rate limit: how many requests may come from one address in a window of time."""

from wfx.api.rate_limit.buckets import Buckets, MemoryBuckets
from wfx.api.rate_limit.middleware import RateLimit
from wfx.api.rate_limit.shared_buckets import SharedBuckets

__all__ = ["Buckets", "MemoryBuckets", "RateLimit", "SharedBuckets"]
