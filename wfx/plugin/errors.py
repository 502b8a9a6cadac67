"""Errors of plugins, as one tree.

    PluginError
    ├── PluginRefused          at start: the directory or a file in it is unsuitable, or does not start
    ├── PluginLost             a running plugin cannot be relied on any more: the server has to stop
    ├── ProtocolError          what a plugin wrote is not an answer; the reason for a PluginLost
    │   ├── FrameError
    │   ├── MessageError
    │   └── CookieError
    └── Undecided              this one request got no decision, so it must not pass (503)
        ├── ReplyOverdue
        ├── PluginBusy
        ├── AnswerUnusable
        └── PluginsGone

Messages of PluginRefused and PluginLost are for the operator; callers only learn that a request was not decided.
"""

from __future__ import annotations

from wfx.domain.errors import WfxError


class PluginError(WfxError):
    """Root of everything that goes wrong with plugins."""


class PluginRefused(PluginError):
    """A plugin directory or file is not fit to be used; the message names it and the reason."""


class PluginLost(PluginError):
    """A plugin ended, or broke the protocol: nothing may pass any more, and the server has to stop with exit code 1."""

    def __init__(self, plugin: str, reason: str, last_lines: str) -> None:
        """Name the plugin, what happened to it, and what it wrote to standard error last."""
        super().__init__(f"plugin {plugin} {reason}")
        self.plugin = plugin
        self.reason = reason
        self.last_lines = last_lines


class ProtocolError(PluginError):
    """What a plugin wrote does not follow the protocol; the message completes the sentence 'plugin NAME …'."""


class FrameError(ProtocolError):
    """The bytes on standard output are not a sequence of frames of bearable size."""


class MessageError(ProtocolError):
    """A frame does not hold a readable answer."""


class CookieError(ProtocolError):
    """An answer belongs to no outstanding request."""


class Undecided(PluginError):
    """The plugins did not decide on this request, so it must not pass."""


class ReplyOverdue(Undecided):
    """A plugin did not answer in time."""


class PluginBusy(Undecided):
    """A plugin has as many requests outstanding as it may have."""


class AnswerUnusable(Undecided):
    """A plugin answered properly, but with something that cannot be sent on, such as a line break in a header."""


class PluginsGone(Undecided):
    """A plugin was lost or stopped: nothing passes any more."""
