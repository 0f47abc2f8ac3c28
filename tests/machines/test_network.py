"""Three hosts of a network of their own, and a link between them that is cut for half a minute."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cluster import Cluster, formats, lines_in, made, same
from command import finish

pytest.importorskip("distributed", reason="distributed is not installed")
pytest.importorskip("cryptography", reason="cryptography is not installed")

pytestmark = pytest.mark.slow

HOSTS = ("scheduler", "near", "far", "submitter")
SUBNET = "10.83.71"
CUT = 30.0
"""Seconds without a link: as long as Dask waits for what is sent to be taken."""


@dataclass(frozen=True)
class Network:
    """Hosts as namespaces, each with a link to one switch."""

    name: str

    def space(self, host: str) -> str:
        return f"{self.name}-{host}"

    def inside(self, host: str) -> tuple[str, ...]:
        """What a command runs behind to be on a host."""
        return ("ip", "netns", "exec", self.space(host))

    def address(self, host: str) -> str:
        return f"{SUBNET}.{HOSTS.index(host) + 1}"

    def set_link(self, host: str, state: str) -> None:
        """Cut or mend the link of a host at the switch, as when somebody pulls the plug there."""
        _ip("-n", self.space("switch"), "link", "set", f"to-{HOSTS.index(host)}", state)

    def make(self) -> None:
        _ip("netns", "add", self.space("switch"))
        switch = ("-n", self.space("switch"))
        _ip(*switch, "link", "add", "bridge", "type", "bridge")
        _ip(*switch, "link", "set", "bridge", "up")
        for number, host in enumerate(HOSTS):
            own = ("-n", self.space(host))
            _ip("netns", "add", self.space(host))
            ends = (f"to-{number}", "type", "veth", "peer", "name", "eth0")
            _ip(*switch, "link", "add", *ends, "netns", self.space(host))
            _ip(*switch, "link", "set", f"to-{number}", "master", "bridge", "up")
            _ip(*own, "address", "add", f"{self.address(host)}/24", "dev", "eth0")
            _ip(*own, "link", "set", "eth0", "up")
            _ip(*own, "link", "set", "lo", "up")

    def end(self) -> None:
        for host in ("switch", *HOSTS):
            subprocess.run(
                ("ip", "netns", "delete", self.space(host)), capture_output=True, check=False
            )


def _ip(*words: str) -> None:
    subprocess.run(("ip", *words), capture_output=True, check=True, text=True)


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    if sys.platform != "linux" or shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("wants root and `ip` of Linux, to make hosts of namespaces")
    made = Network(f"gallery-{os.getpid()}")
    try:
        try:
            made.make()
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no namespaces can be made here: {error.stderr.strip()}")
        yield made
    finally:
        made.end()


@pytest.fixture
def cluster(network: Network, tmp_path: Path) -> Iterator[Cluster]:
    ours = made(tmp_path)
    ours.host = network.address("scheduler")
    ours.port = 8786
    ours.start_scheduler(network.inside("scheduler"))
    ours.start_worker(network.inside("near"))
    ours.start_worker(network.inside("far"))
    yield ours
    ours.end()


def test_links_that_are_cut_for_half_a_minute_cost_nothing(
    cluster: Cluster, network: Network
) -> None:
    job = cluster.label(*formats("cut"), prefix=network.inside("submitter"))
    records = cluster.folder / "cut.jsonl"
    while lines_in(records) <= 4:
        assert job.poll() is None, finish(job).stderr
        time.sleep(0.01)
    network.set_link("far", "down")
    network.set_link("submitter", "down")
    time.sleep(CUT)
    network.set_link("submitter", "up")
    network.set_link("far", "up")
    done = finish(job)
    assert done.code == 1, done.stderr
    assert same(cluster, "cut")
