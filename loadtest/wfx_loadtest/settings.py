"""What a run is asked to do; the command line fills it in."""

from __future__ import annotations

from dataclasses import dataclass, field

from wfx.commandline.client_tls import ClientTls
from wfx.host_port import host_port
from wfx_loadtest.duration import MINUTE, SECOND, rounded
from wfx_loadtest.thresholds import Threshold


@dataclass(frozen=True, slots=True)
class Settings:
    """The options of one run (cli section 11); durations in nanoseconds."""

    client_host: str = "localhost"
    client_port: int = 8080
    mgmt_host: str = "localhost"
    mgmt_port: int = 8081
    duration: int = MINUTE
    read_freq: int = 75
    """Reading requests a second."""
    write_freq: int = 25
    """Writing requests a second."""
    scenario: str = "default"
    devices: int = 100
    """Simulated devices (scenario fleet)."""
    subscribers: int = 10
    """Listeners on the event stream (scenarios fleet and events)."""
    poll_interval: int = SECOND
    """How often an idle device asks for work (scenario fleet)."""
    target: int | None = None
    """Look for the highest rate whose p99 stays within this, instead of keeping one rate."""
    thresholds: tuple[Threshold, ...] = ()
    """Limits that the run must keep, or else the exit code says so."""
    client_tls_host: str = "localhost"
    client_tls_port: int = 8443
    mgmt_tls_host: str = "localhost"
    mgmt_tls_port: int = 8444
    client_unix_socket: str = ""
    mgmt_unix_socket: str = ""
    enable_tls: bool = False
    """Speak TLS, with the hosts and ports for it."""
    tls: ClientTls = field(default_factory=ClientTls)

    @property
    def named(self) -> dict[str, str | int]:
        """What makes this run, by the names of its options."""
        named: dict[str, str | int] = {"scenario": self.scenario, "duration": rounded(self.duration)}
        if self.scenario != "events":  # which only writes
            named["read-freq"] = self.read_freq
        named["write-freq"] = self.write_freq
        if self.scenario == "fleet":
            named |= {"devices": self.devices, "poll-interval": rounded(self.poll_interval)}
        if self.scenario != "default":
            named["subscribers"] = self.subscribers
        if self.target is not None:
            named["target"] = rounded(self.target)
        return named

    @property
    def sentence(self) -> str:
        """The run in one line, for the heads of reports."""
        return ", ".join(f"{name} {value}" for name, value in self.named.items())

    @property
    def has_subscribers(self) -> bool:
        """Whether somebody listens to the event stream."""
        return self.scenario != "default" and self.subscribers > 0

    @property
    def places(self) -> tuple[tuple[str, int, str], tuple[str, int, str]]:
        """Host, port and Unix socket of the southbound and the northbound side."""
        if self.enable_tls:
            south, north = (self.client_tls_host, self.client_tls_port), (self.mgmt_tls_host, self.mgmt_tls_port)
        else:
            south, north = (self.client_host, self.client_port), (self.mgmt_host, self.mgmt_port)
        return (*south, self.client_unix_socket), (*north, self.mgmt_unix_socket)

    @property
    def targets(self) -> tuple[str, str]:
        """Where the southbound and the northbound side are."""
        scheme = "https" if self.enable_tls else "http"
        south, north = (socket or f"{scheme}://{host_port(host, port)}" for host, port, socket in self.places)
        return south, north
