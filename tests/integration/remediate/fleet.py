# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hosts behind real SSH connections: each has a network namespace, files under /etc, /run and /var/lib of its own, an
sshd, and a server under load.  They are joined by a bridge in the namespace of the test.  All else that a host sees is
the machine's, and read-only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.nettune.tcp.tests.integration.plays import COLLECTIONS
from ansible_collections.nettune.tcp.tests.integration.sandbox import CONFIGURATION

LOAD = pathlib.Path(__file__).with_name("load.py")
PORT = 8080
# What a host may write to, beside its /run.
PLACES = (*CONFIGURATION, "/etc/systemd/system", "/etc/modules-load.d", "/var/tmp")
_NETWORK = "10.77.0"
# No host outlives the test, however that ends.
_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")

# In the host's namespaces; the shell that runs this becomes its sshd.
_SETUP = """
set -e
mount --make-rprivate /
# /var/lib as well: who removes a directory outside uncovers it here, under whatever is mounted there.
for place in /run /var/lib {places}; do mkdir -p $place; mount -t tmpfs -o mode=755,size=8m none $place; done
mount -o remount,bind,ro /
mkdir -p /run/sshd
{more}
ip link set lo up
echo ready
read go
ip address add {address}/24 dev eth0
ip link set eth0 up
{server}
exec /usr/sbin/sshd -D -e -f {config}
"""

_SERVER = f"setpriv --pdeathsig KILL {sys.executable} {LOAD} {PORT} >/dev/null 2>&1 &"

_SSHD = """
ListenAddress {address}:22
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/key.pub
PermitRootLogin yes
StrictModes no
UsePAM no
PidFile none
MaxStartups 100
# Its sessions end with the host, also one whose network is gone.
ClientAliveInterval 2
ClientAliveCountMax 2
"""

_LOOK = """
import hashlib, json, os, sys
def content(path):
    return hashlib.sha256(open(path, "rb").read()).hexdigest() if os.path.isfile(path) else ""
found = {}
for place in sys.argv[1:]:
    for top, _names, files in os.walk(place):
        for path in [top, *(os.path.join(top, name) for name in files)]:
            status = os.lstat(path)
            found[path] = [content(path), status.st_mode, status.st_uid, status.st_gid]
for top in ("/proc/sys/net/core", "/proc/sys/net/ipv4"):
    for name in os.listdir(top):
        try:
            found[name] = open(os.path.join(top, name)).read()
        except OSError:
            pass
print(json.dumps(found))
"""


@dataclass
class Host:
    """One host; ``setup`` are more commands of its shell before it is there, ``variables`` those of the inventory.

    An idle one has no server and no clients.
    """

    name: str
    setup: str = ""
    variables: t.Dict[str, t.Any] = field(default_factory=dict)
    absent: bool = False
    idle: bool = False
    address: str = ""
    process: t.Optional[subprocess.Popen[str]] = None

    def run(self, *command: str) -> str:
        """What a command prints that runs on the host."""
        assert self.process
        inside = ["nsenter", f"--target={self.process.pid}", "--net", "--mount", *command]
        return subprocess.run(inside, check=True, capture_output=True, text=True).stdout

    def everything(self) -> t.Dict[str, t.Any]:
        """All files and values that a run could change, by their hash."""
        places = [place for place in PLACES if "nettune" not in place and place != "/var/tmp"]
        found = json.loads(self.run(sys.executable, "-c", _LOOK, *places))
        return t.cast("t.Dict[str, t.Any]", found)

    def sysctl(self, key: str) -> str:
        """A value in the host's kernel."""
        return self.run("cat", f"/proc/sys/{key.replace('.', '/')}").strip()


class Fleet:
    """Hosts, a directory for what belongs to them, and plays over them."""

    def __init__(self, hosts: t.Sequence[Host]) -> None:
        _check_apart()
        self.hosts = {host.name: host for host in hosts}
        # Short, for the sockets of SSH in it.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="fleet-", dir="/tmp"))

    def __enter__(self) -> Fleet:
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self) -> None:
        for key in ("key", "host_key"):
            _call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.directory / key))
        _call("ip", "link", "add", "bridge", "type", "bridge")
        _call("ip", "address", "add", f"{_NETWORK}.254/24", "dev", "bridge")
        _call("ip", "link", "set", "bridge", "up")
        for number, host in enumerate(self.hosts.values(), 1):
            host.address = f"{_NETWORK}.{number}" if not host.absent else f"{_NETWORK}.254"
            if not host.absent:
                self._start(number, host)
        (self.directory / "inventory.json").write_text(json.dumps(self._inventory()))
        self._wait()

    def __exit__(self, *_exception: object) -> None:
        self.disconnect()
        for host in self.hosts.values():
            if host.process:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(host.process.pid, signal.SIGKILL)
                host.process.communicate()
        # Also those of hosts whose namespace lives on with a session that has lost its network.
        for name in [one for _number, one in socket.if_nameindex() if one == "bridge" or one.startswith("host")]:
            subprocess.run(["ip", "link", "delete", name], check=False, capture_output=True)
        shutil.rmtree(self.directory)

    def disconnect(self) -> None:
        """End the connections that plays have left open."""
        for control in (self.directory / "cp").glob("*"):
            subprocess.run(["ssh", "-O", "exit", "-S", str(control), "host"], check=False, capture_output=True)

    def _start(self, number: int, host: Host) -> None:
        config = self.directory / f"sshd-{number}"
        config.write_text(_SSHD.format(address=host.address, directory=self.directory))
        script = _SETUP.format(
            places=" ".join(PLACES),
            more=host.setup,
            address=host.address,
            server="" if host.idle else _SERVER,
            config=config,
        )
        log = (self.directory / f"log-{number}").open("w")
        host.process = subprocess.Popen(
            [*_WITH_PARENT, "unshare", "--net", "--mount", "sh", "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )
        log.close()
        assert host.process.stdout
        assert host.process.stdin
        if host.process.stdout.readline() != "ready\n":
            raise RuntimeError((self.directory / f"log-{number}").read_text())
        pid = str(host.process.pid)
        _call("ip", "link", "add", f"host{number}", "type", "veth", "peer", "name", "eth0", "netns", pid)
        _call("ip", "link", "set", f"host{number}", "master", "bridge", "up")
        host.process.stdin.write("go\n")
        host.process.stdin.flush()

    def _wait(self) -> None:
        for host in self.hosts.values():
            for _try in range(200):
                if host.absent or host.process is None or _answers(host.address):
                    break
                time.sleep(0.05)

    def _inventory(self) -> t.Dict[str, t.Any]:
        hosts = {name: {"ansible_host": host.address, **host.variables} for name, host in self.hosts.items()}
        shared = {
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.directory / "key"),
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
            " -o ServerAliveInterval=1 -o ServerAliveCountMax=3 -o ConnectTimeout=5 -o LogLevel=ERROR",
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_ssh_pipelining": True,
        }
        return {"all": {"hosts": hosts, "vars": shared}}

    def start_play(self, playbook: str, *words: str, **variables: t.Any) -> subprocess.Popen[str]:
        """A playbook over all hosts, in a process group of its own."""
        given = [word for name, value in variables.items() for word in ("-e", json.dumps({name: value}))]
        inventory = str(self.directory / "inventory.json")
        return subprocess.Popen(
            [sys.executable, "-m", "ansible", "playbook", "-i", inventory, "--forks", "8", *given, *words, playbook],
            cwd=self.directory,
            env={
                **os.environ,
                "PWD": str(self.directory),
                "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
                "ANSIBLE_NOCOLOR": "1",
                "ANSIBLE_REMOTE_TMP": "/run/ansible",
                "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.directory / "cp"),
                "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def play(self, playbook: str, *words: str, **variables: t.Any) -> t.Tuple[int, str]:
        """How a playbook over all hosts ends, and what it prints."""
        process = self.start_play(playbook, *words, **variables)
        printed = process.communicate()[0]
        return process.returncode, printed

    def record(self) -> t.Dict[str, t.Any]:
        """The record of the newest run."""
        newest = max((self.directory / "tcp-remediation").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return t.cast("t.Dict[str, t.Any]", json.loads(newest.read_text()))

    def everything(self) -> t.Dict[str, str]:
        """What can be seen of each host, as a hash."""
        return {
            name: hashlib.sha256(json.dumps(host.everything(), sort_keys=True).encode()).hexdigest()
            for name, host in self.hosts.items()
            if host.process
        }


def _check_apart() -> None:
    """Raise RuntimeError where bridges and mounts would be those of the machine."""
    if len(pathlib.Path("/proc/self/net/route").read_text().splitlines()) > 1:
        raise RuntimeError("hosts are only made in a network namespace of their own, from which no route leads")
    if {_mounts_of(pid) for pid in _ancestors()} <= {_mounts_of(os.getpid()), None}:
        raise RuntimeError("hosts are only made in a mount namespace of their own: unshare --net --mount")


def _ancestors() -> t.Iterator[int]:
    """The processes that this one comes from, up to the first one of the machine."""
    pid = os.getppid()
    while pid:
        yield pid
        pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _mounts_of(pid: int) -> t.Optional[int]:
    """What stands for the mount namespace of a process, None where nobody may look."""
    try:
        return os.stat(f"/proc/{pid}/ns/mnt").st_ino
    except PermissionError:
        return None


def _call(*command: str) -> None:
    subprocess.run(command, check=True)


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, 22), 1):
        return True
    return False
