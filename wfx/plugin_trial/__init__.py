"""The command ``wfx plugin test``: plugins are tried without a server."""

from wfx.plugin_trial.trial import run_trial

__all__ = ["run_trial"]
