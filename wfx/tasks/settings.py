"""Settings of webhooks and mails, from the options. Files with secrets are read anew at each reload."""

from __future__ import annotations

from wfx.config.secret_files import read_password, read_webhook_keys
from wfx.config.tunables import Tunables
from wfx.tasks.address_guard import AddressGuard
from wfx.tasks.mail import MailSettings
from wfx.tasks.webhook import WebhookSettings


def webhook_settings(tunables: Tunables) -> WebhookSettings:
    """Return how webhooks are sent. Raises ValueError."""
    keys = read_webhook_keys(tunables.webhook_secret_file)
    return WebhookSettings(keys, AddressGuard(tunables.webhook_allowed_networks))


def mail_settings(tunables: Tunables) -> MailSettings:
    """Return how mails are sent. Raises ValueError."""
    return MailSettings(
        tunables.smtp_host,
        tunables.smtp_port,
        tunables.smtp_tls,
        tunables.smtp_user,
        read_password(tunables.smtp_password_file),
        tunables.smtp_from,
    )
