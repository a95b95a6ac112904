"""Where a server of ours can be reached: the options of its commands. Needs no package of the web."""

import ipaddress
import socket
from dataclasses import dataclass, replace
from pathlib import Path

THIS_COMPUTER = "localhost"
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # this computer, by the address of everywhere
OUTSIDE = ("192.0.2.1", 9)  # an address of no computer (RFC 5737); nothing is sent to it


@dataclass(frozen=True)
class Address:
    """Where a server can be reached, and how it is encrypted."""

    host: str = "127.0.0.1"
    """the address to listen on; 0.0.0.0 for every network of this computer"""
    port: int = 8000
    """the port to listen on"""
    root_path: str = ""
    """the path at which a proxy offers the server, such as /study"""
    trusted_proxy: str = ""
    """the address of a proxy that encrypts, such as 127.0.0.1; the server believes what the proxy says of a connection,
    and answers nothing unencrypted"""
    certificate: Path | None = None
    """a file with the server's certificate, for https without a proxy"""
    key: Path | None = None
    """a file with the certificate's key"""
    insecure_lan: bool = False
    """answer without encryption, on a network where nobody eavesdrops"""

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    @property
    def is_local(self) -> bool:
        """Whether only this computer's own browsers ask, and not a proxy for others."""
        return self.is_loopback and not self.trusted_proxy

    @property
    def is_everywhere(self) -> bool:
        """Whether it is every address of this computer."""
        return self.host in LOOPBACK

    @property
    def is_behind_proxy(self) -> bool:
        return bool(self.root_path or self.trusted_proxy)

    @property
    def needs_https(self) -> bool:
        """Whether requests that are not encrypted are refused."""
        return not self.insecure_lan and (bool(self.trusted_proxy) or not self.is_loopback)

    @property
    def url(self) -> str:
        """Without a proxy, which has its own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http{'s' if self.certificate else ''}://{host}:{self.port}/"

    def check(self) -> None:
        """Raises ValueError, one line, for an address that makes no sense, or that others reach unencrypted."""
        if not 0 <= self.port < 65536:
            raise ValueError(f"port is {self.port}: expected 0 to 65535")
        if self.root_path and (not self.root_path.startswith("/") or self.root_path.endswith("/")):
            raise ValueError(f"root_path is {self.root_path!r}: expected a path such as /study")
        if (self.certificate is None) != (self.key is None):
            raise ValueError("expected both certificate and key, or none of them")
        for name, path in (("certificate", self.certificate), ("key", self.key)):
            if path and not path.is_file():
                raise ValueError(f"{name} is {path}: there is no such file")
        if self.trusted_proxy:
            try:
                ipaddress.ip_network(self.trusted_proxy)
            except ValueError:
                raise ValueError(
                    f"trusted_proxy is {self.trusted_proxy!r}: expected its address, such as 127.0.0.1"
                ) from None
        if self.needs_https and not self.certificate and not self.trusted_proxy:
            raise ValueError(
                f"host is {self.host!r}, which others can reach: expected a certificate and a key, or a trusted proxy "
                "that encrypts, or --insecure-lan on a network where nobody eavesdrops"
            )


def link_of(address: Address) -> str:
    """The address as others see it: of all of this computer's, the one that leads out.

    Raises ValueError, one line, if none does.
    """
    if not address.is_everywhere:
        return address.url
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(OUTSIDE)
            return replace(address, host=asking.getsockname()[0]).url
        except OSError:
            raise ValueError(
                f"host is {address.host!r}, and this computer is in no network that leads out: expected its address"
            ) from None


def private_link(address: Address, link: str) -> str:
    """The address for whoever has the token: where nothing is encrypted, one of this computer's own, so that the token
    does not go through the network; else ``link``."""
    if address.is_everywhere and address.insecure_lan and not address.certificate:
        return replace(address, host=LOOPBACK[address.host]).url
    return link


def is_loopback(host: str) -> bool:
    """Whether it is a name or an address under which a computer reaches itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == THIS_COMPUTER
