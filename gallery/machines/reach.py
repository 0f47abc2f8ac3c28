"""Where a scheduler is, and the keys that let machines in."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gallery.errors import BadSetting, UnreadableFile, UnwritableFile
from gallery.machines.library import load

if TYPE_CHECKING:
    from distributed.security import Security

PORT = 8786
"""Where schedulers are looked for."""

CERTIFICATE, KEY = "cluster.pem", "cluster.key"
"""What a folder of keys holds. All machines have the same, and believe nobody else."""

PATIENCE = 5.0
"""Seconds in which a scheduler has to answer."""

SCHEMES = ("tcp", "tls")


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a scheduler is reached."""

    host: str
    port: int
    keys: Path | None = None
    """The folder of the keys that it wants; None where it is on this machine and wants none."""

    @property
    def address(self) -> str:
        """What Dask calls it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'tcp' if self.keys is None else 'tls'}://{host}:{self.port}"


def reach_of(text: str, keys: Path | None = None, *, setting: str = "cluster") -> Reach:
    """Return where a scheduler is, given as HOST, HOST:PORT or tcp://HOST:PORT.

    Raises InputError for what is no such address, and for another machine without keys.
    """
    scheme, has_scheme, rest = text.rpartition("://")
    host, _, port = rest.rpartition(":") if _has_port(rest) else (rest, "", str(PORT))
    host = host.strip("[]")
    is_address = host and "/" not in rest and port.isdecimal() and 0 < int(port) < 2**16
    if not is_address or (has_scheme and scheme not in SCHEMES):
        raise BadSetting(
            setting, f"{text!r} is no address of a scheduler", "give one as tcp://server:8786"
        )
    if scheme == "tls":
        _require(keys, host)
    return listening_at(host, int(port), keys)


def listening_at(host: str, port: int, keys: Path | None) -> Reach:
    """Return where a host is reached. Raises InputError for another machine without keys."""
    if not is_loopback(host):
        _require(keys, host)
    return Reach(host, port, keys)


def _require(keys: Path | None, host: str) -> None:
    if keys is None:
        raise BadSetting(
            "keys",
            f"{host} is reached over a network, where others could send programs to run and read "
            "all pictures",
            "make keys, and give them on each machine",
        )


def is_loopback(host: str) -> bool:
    """Say whether a host is this machine itself, which no network reaches."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def security_of(keys: Path | None) -> Security | None:
    """Return what Dask wants of keys in a folder.

    Raises InputError where they are not there or are no keys, SetupError without Dask.
    """
    if keys is None:
        return None
    load()
    from distributed.security import Security

    certificate, key = keys / CERTIFICATE, keys / KEY
    try:
        ssl.create_default_context(cafile=str(certificate)).load_cert_chain(certificate, key)
    except ssl.SSLError as error:
        raise UnreadableFile(keys, f"holds no keys of a cluster: {error.reason}") from error
    except OSError as error:
        raise UnreadableFile(
            keys, f"holds no {CERTIFICATE} and {KEY} that can be read: {error.strerror}"
        ) from error
    one = {"key": str(key), "cert": str(certificate)}
    return Security(
        require_encryption=True,
        tls_ca_file=str(certificate),
        **{
            f"tls_{role}_{part}": path
            for role in ("client", "scheduler", "worker")
            for part, path in one.items()
        },
    )


async def knock(address: str, security: Security | None, seconds: float = PATIENCE) -> None:
    """Raise OSError unless one of Dask's parts answers at an address in so many seconds.

    Dask itself waits for ever for one that takes a connection and says nothing.
    """
    load()
    from distributed.comm import connect
    from distributed.security import Security

    arguments = (security or Security()).get_connection_args("client")
    async with asyncio.timeout(seconds):
        (await connect(address, timeout=seconds, **arguments)).abort()


def make_keys(folder: Path) -> None:
    """Make keys in a folder, which only its owner can read; they are good for a year.

    Raises InputError where keys are there or cannot be written, SetupError without Dask.
    """
    load()
    from distributed.security import Security

    made = Security.temporary()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in ((KEY, made.tls_client_key), (CERTIFICATE, made.tls_client_cert)):
            path = folder / name
            path.touch(0o600, exist_ok=False)
            path.write_text(str(text), encoding="ascii")
    except FileExistsError as error:
        raise UnwritableFile(
            folder, "holds keys already", remedy="name another folder, or delete it"
        ) from error
    except OSError as error:
        raise UnwritableFile(folder, f"cannot be written: {error.strerror}") from error


def _has_port(text: str) -> bool:
    """Say whether a port ends an address; one of IPv6 has colons of its own."""
    return text.count(":") == 1 or "]:" in text
