# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A systemd container that is reached by SSH, and plays on it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import typing as t
from dataclasses import dataclass, replace

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
sys.path.insert(0, str(CHECKOUT))

from tests.lab import image  # noqa: E402

SSH, FAR = 22, 2222  # ports of the SSH server, and of the relay to it
SUITE = "trixie"
IMAGE = f"localhost/nettune-role-benchmark:{SUITE}"
OPTIONS = [
    "--systemd=always",
    "--network=none",
    *(f"--cap-add={name}" for name in ("NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE")),  # as in molecule/common/create.yml
    *(f"--security-opt={name}" for name in ("unmask=/proc/sys", "apparmor=unconfined")),
]
os.environ["CONTAINERS_CONF"] = str(CHECKOUT / "tests/lab/containers.conf")


def build() -> None:
    """The lab's image with an SSH server, unless it is there."""
    if subprocess.run(["podman", "image", "exists", IMAGE], check=False).returncode == 0:
        return
    recipe = image.read_recipe()
    recipe["packages"].append("openssh-server")
    image.build(SUITE, recipe, IMAGE)


@dataclass(frozen=True)
class Play:
    """What a play cost the controller, in seconds, and what it said."""

    wall: float
    processor: float
    said: str


@dataclass(frozen=True)
class Container:
    """A running one.  Plays enter its network namespace, where its SSH server listens on the loopback."""

    name: str
    pid: str
    place: pathlib.Path
    pipelining: bool
    port: int = SSH

    def run(self, *command: str, given: str | None = None) -> str:
        """What a program inside prints."""
        done = subprocess.run(
            ["podman", "exec", "-i", self.name, *command], check=True, stdout=subprocess.PIPE, text=True, input=given
        )
        return done.stdout

    def inside(self) -> list[str]:
        """The words before those of a program that is to run in its network namespace."""
        return ["nsenter", f"--net=/proc/{self.pid}/ns/net"]

    def play(self, name: str, *options: str, **settings: str) -> Play:
        """One of the plays beside this file, from here to its end."""
        variables = f"ansible_python_interpreter=/usr/bin/python3 ansible_user=root ansible_port={self.port}"
        command = [*self.inside(), sys.executable, "-m", "ansible", "playbook", "-i", "127.0.0.1,", "-e", variables]
        command += [*options, str(HERE / f"{name}.yml")]
        began, used = time.perf_counter(), _children()
        done = subprocess.run(
            command, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._env(settings)
        )
        play = Play(time.perf_counter() - began, _children() - used, done.stdout)
        if done.returncode:
            sys.exit(f"the play {name} failed:\n{done.stdout}")
        return play

    def _env(self, settings: t.Mapping[str, str]) -> dict[str, str]:
        ssh = ["-F/dev/null", f"-i{self.place}/key", "-oIdentitiesOnly=yes", "-oStrictHostKeyChecking=no"]
        ssh += [f"-oUserKnownHostsFile={self.place}/hosts", "-oControlMaster=auto", "-oControlPersist=60s"]
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(self.place),
            "ANSIBLE_HOME": str(self.place / "ansible"),
            "ANSIBLE_PIPELINING": str(self.pipelining),
            "ANSIBLE_SSH_ARGS": " ".join(ssh),
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.place),
            **settings,
        }


def _children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def started(*, pipelining: bool, delay: float = 0) -> t.Iterator[Container]:
    """A fresh container with four servers, so many milliseconds away and back; it goes in the end."""
    with tempfile.TemporaryDirectory() as scratch:
        place = pathlib.Path(scratch)
        collection = place / "ansible_collections" / "nettune"
        collection.mkdir(parents=True)
        (collection / "tcp").symlink_to(CHECKOUT)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "key"], check=True)
        made = subprocess.run(["podman", "run", "-d", *OPTIONS, IMAGE], check=True, stdout=subprocess.PIPE, text=True)
        container = Container(made.stdout.strip(), "", place, pipelining)
        try:
            with _distant(_ready(container), delay) as distant:
                yield distant
        finally:
            subprocess.run(["podman", "rm", "-f", "-t0", container.name], check=True, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def _distant(container: Container, delay: float) -> t.Iterator[Container]:
    """The same, reached through a relay where there is a delay."""
    if not delay:
        yield container
        return
    relay = [sys.executable, str(HERE / "distance.py"), str(FAR), str(SSH), str(delay)]
    with subprocess.Popen([*container.inside(), *relay], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            running.stdout.readline()  # it listens
            yield replace(container, port=FAR)
        finally:
            running.kill()


def _ready(container: Container) -> Container:
    shown = ["podman", "inspect", "--format={{.State.Pid}}", container.name]
    pid = subprocess.run(shown, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    time.sleep(1)  # until there is a systemd to ask
    container.run("sh", "-c", "systemctl is-system-running --wait || true")
    key = (container.place / "key.pub").read_text(encoding="ascii")
    container.run("sh", "-s", key.strip(), given=(HERE / "prepare.sh").read_text(encoding="utf-8"))
    return replace(container, pid=pid)
