"""Keys of encrypted data, from the options that give them."""

from __future__ import annotations

from wfx.commandline.failures import UsageFailure
from wfx.commandline.options import Settings
from wfx.config.options import Config
from wfx.config.secret_files import read_encryption_keys
from wfx.protection import core_files
from wfx.protection.key_ring import KeyRing
from wfx.protection.sealing import Sealing


def sealing_of(config: Config) -> Sealing | None:
    """Return what seals and opens values, if keys are given. The options were checked before."""
    ring = read_encryption_keys(config.encryption_keys, config.encryption_keys_file)
    return _sealing(ring, seals=config.enable_encryption or config.encrypt_sensitive_data)


def sealing_for(settings: Settings) -> Sealing | None:
    """Return the same for a command. Raises UsageFailure."""
    seals = settings.flag("enable-encryption") or settings.flag("encrypt-sensitive-data")
    try:
        ring = read_encryption_keys(settings.text("encryption-keys"), settings.text("encryption-keys-file"))
    except ValueError as exc:
        raise UsageFailure(f"the encryption keys cannot be used: {exc}") from exc
    if ring is None and seals:
        raise UsageFailure("enable-encryption needs encryption-keys or encryption-keys-file")
    return _sealing(ring, seals=seals)


def _sealing(ring: KeyRing | None, *, seals: bool) -> Sealing | None:
    if ring is None:
        return None
    core_files.switch_off()
    return Sealing(ring, seals=seals)
