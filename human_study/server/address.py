"""Where a server of ours can be reached: the options of its commands. Needs no package of the web."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

THIS_COMPUTER = "localhost"


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


def is_loopback(host: str) -> bool:
    """Whether it is a name or an address under which a computer reaches itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == THIS_COMPUTER
