"""Whether a request stays on this computer. Needs no package of the web."""

import ipaddress

NAME = "localhost"


def is_loopback(host: str) -> bool:
    """Whether it is a name or an address under which a computer reaches itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == NAME
