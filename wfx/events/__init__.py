"""Event streams: subscribers follow, filter and resume the store's log.

What is promised to every stream that starts at a position of the log: **ordered** as committed, every event **unique**,
**nothing missing** that passes its filter, **resumable** after any id it was told, **bookmarked** (it is told positions
also when nothing passes) and **never early** (only what is durable).

The parts, in the order in which an event meets them: :mod:`.broker` follows the store, :mod:`.log_window` keeps the
newest events in memory, :mod:`.subscriber_index` knows whom to wake, :mod:`.subscription` is one reader,
:mod:`.framing` its bytes. Readers that are behind read :mod:`.log_pages`. :mod:`.page` serves the past without a
stream; :mod:`.retention` drops it in the end.
"""
