"""Where pages and programs reach the gallery: addresses and names, and TLS for other machines."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gallery.errors import BadSetting
from gallery.web.doors import LOOPBACK

ADDRESSES = ("127.0.0.1", "::1")
"""What is listened on unless a host is named."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What TLS is spoken with."""

    file: Path
    key: Path | None
    """None where it is in the same file."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the gallery is reached."""

    addresses: tuple[str, ...] = ADDRESSES
    """IP addresses to listen on; of several some may be lacking."""
    names: tuple[str, ...] = LOOPBACK
    """What may stand before the port in links, first what stands in those that are printed."""
    certificate: Certificate | None = None

    @property
    def is_exposed(self) -> bool:
        """Whether other machines reach it."""
        return not all(ipaddress.ip_address(one).is_loopback for one in self.addresses)


def place_of(
    host: str | None = None,
    names: Sequence[str] = (),
    certificate: Path | None = None,
    key: Path | None = None,
) -> Place:
    """Return where a host is, given by name or address; this machine alone where none is given.

    Names are further ones that links may have. Raises InputError for a host that nobody knows, for
    a certificate that cannot be used, and where other machines reach the host without one.
    """
    if certificate is None and key is not None:
        raise BadSetting("key", "A key alone is no TLS", "give its certificate, too")
    secured = None if certificate is None else _checked(Certificate(certificate, key))
    called = tuple(_called(one) for one in names)
    if host is None:
        return Place(ADDRESSES, (*called, *LOOPBACK), secured)
    addresses = _addresses_of(host)
    is_every = any(ipaddress.ip_address(one).is_unspecified for one in addresses)
    place = Place(addresses, called if is_every else (*called, _called(host)), secured)
    if not place.is_exposed:
        return Place(addresses, (*place.names, *LOOPBACK), secured)
    if secured is None:
        raise BadSetting(
            "certificate",
            f"Other machines reach {host}, and without TLS the token and all pictures can be read "
            "on the way",
            "give a certificate and its key, or leave the host out",
        )
    if not place.names:
        raise BadSetting(
            "called", f"{host} stands for every address of this machine", "say how links call it"
        )
    return place


def _called(host: str) -> str:
    """Return how a link calls a host."""
    return f"[{host.lower()}]" if ":" in host else host.lower()


def _addresses_of(host: str) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise BadSetting(
            "host", f"Nobody knows where {host} is", "give an address of this machine"
        ) from error
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def _checked(one: Certificate) -> Certificate:
    """Return a certificate. Raises InputError for one that no TLS can be spoken with."""

    def password() -> str:
        raise _LockedError

    what = f"{one.file}" if one.key is None else f"{one.file} with {one.key}"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(one.file, one.key, password)
    except _LockedError as error:
        raise BadSetting("key", f"The key of {what} wants a password", "give it without") from error
    except OSError as error:
        reason = f"{what} is no certificate with its key"
        if not isinstance(error, ssl.SSLError):
            reason = f"{what} cannot be read: {error.strerror}"
        raise BadSetting("certificate", reason, "give both as PEM files") from error
    return one


class _LockedError(Exception):
    """A key wants a password."""
