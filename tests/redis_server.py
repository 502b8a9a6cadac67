"""A Redis server of the tests: private, on loopback, gone with the tests however they end."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from waiting import eventually

from wfx.store.redis.buckets import RedisBuckets, RedisTarget

PASSWORD = "s3cret of redis"
# It is stopped when whoever started it closes the pipe, or has ended in whatever way.
_KEPT = 'redis-server "$@" > /dev/null 2>&1 & cat > /dev/null; kill -KILL $!; wait; rm -rf "$FOLDER"'


class RedisServer:
    """A running server, which can be stopped and started anew."""

    def __init__(self) -> None:
        """Choose a port."""
        if shutil.which("redis-server") is None:
            raise RuntimeError("redis-server is missing, so nothing is known of buckets in Redis: .ci/packages")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port: int = taken.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def host(self) -> str:
        """The value of the option."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, empty, and wait until it can be connected to."""
        folder = Path(tempfile.mkdtemp(prefix="wfx-redis-"))
        options = {"port": self.port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
        arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
        self._process = subprocess.Popen(
            ["sh", "-c", _KEPT, "sh", *arguments, "--requirepass", PASSWORD],
            stdin=subprocess.PIPE,
            env={"PATH": "/usr/bin:/bin", "FOLDER": str(folder)},
        )
        eventually(self._answers, "Redis takes connections")

    def stop(self) -> None:
        """End it, as when its machine is switched off."""
        if self._process is not None:
            self._process.communicate(b"")
            self._process = None

    def buckets(self, prefix: str, password: str = PASSWORD) -> RedisBuckets:
        """Buckets as a server has them."""
        return RedisBuckets(RedisTarget("127.0.0.1", self.port, password, uses_tls=False, key_prefix=prefix))

    def _answers(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0
