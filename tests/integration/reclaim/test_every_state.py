# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sockets in every state, closed by the module: those that are meant, and no others."""

from __future__ import annotations

import codecs
import os
import socket
import time
import typing as t

import pytest

from ansible_collections.nettune.tcp.plugins.module_utils._errors import BadRequest, MissingRight, Unsupported
from ansible_collections.nettune.tcp.plugins.module_utils._kernel import cgroups
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_destroy import Identity, SockDestroy, identity_of
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.sock_diag import SockDiag, mask
from ansible_collections.nettune.tcp.plugins.module_utils._kernel.tcp_socket import LISTEN
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim import close, probe
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.report import CHANGED, CLOSED, GONE
from ansible_collections.nettune.tcp.plugins.module_utils._reclaim.request import CLOSABLE
from ansible_collections.nettune.tcp.tests.integration.evidence.server import Server
from ansible_collections.nettune.tcp.tests.integration.facts.test_every_state import hold_every_state
from ansible_collections.nettune.tcp.tests.integration.reclaim.holder import (
    DEAD,
    ESTABLISHED,
    Data,
    holding,
    pairs,
    request,
    run,
    state_of,
    states,
)
from ansible_collections.nettune.tcp.tests.integration.sandbox import Sandbox

Steps = t.Iterator[t.Any]


def every_state() -> Steps:
    server = Server()
    hold_every_state(server)
    yield None


def same(one: Data, other: Data) -> bool:
    """Whether check mode has told what a run did."""
    return all(one[name] == other[name] for name in set(one) - {"samples", "descriptors_still_held", "warnings"})


def test_every_state_that_can_be_held_is_closed_and_no_other(in_namespace: Sandbox) -> None:
    def body() -> t.List[t.Tuple[str, Data, Data, Data, t.Dict[str, int], t.Dict[str, int]]]:
        seen = []
        with holding(every_state):
            for state in CLOSABLE:
                options: Data = {"force": state == "TIME_WAIT", "local_address": ["10.9.0.0/24"]}
                before = states()
                told = run(state, check=True, **options)
                assert states() == before
                done = run(state, **options)
                seen.append((state, told, done, run(state, **options), before, states()))
        return seen

    for state, told, done, again, before, after in in_namespace(body):
        assert done["matched"] == done["destroyed"] == done["states"][state] == before.pop(state)
        assert same(told, done)
        assert {row["local_address"] for row in done["samples"]} == {"10.9.0.1"}
        assert after == before
        assert after["LISTEN"] == 1
        assert (again["matched"], again["changed"]) == (0, False)


def listening() -> Steps:
    server, made = pairs(1)
    yield None
    yield state_of(server), [state_of(one) for one in made[0]]


def test_what_listens_is_never_closed(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[int, t.List[int]]:
        with holding(listening) as holder, SockDestroy() as link:
            with SockDiag() as diag:
                [listener] = diag.messages(mask(LISTEN))
            with pytest.raises(BadRequest, match="never a listener"):
                link.destroy(identity_of(listener))
            # The kernel answers with the listener where no connection has these addresses.
            local = socket.inet_aton("127.0.0.1")
            found = link.find(socket.AF_INET, (local, 8080), (local, 1))
            assert found is not None
            assert found[1] == LISTEN
            with pytest.raises(BadRequest, match="never a listener"):
                link.destroy(identity_of(found))
            return t.cast("t.Tuple[int, t.List[int]]", holder.go_on())

    assert in_namespace(body) == (LISTEN, [ESTABLISHED, ESTABLISHED])


@pytest.mark.parametrize("bit", [0, 31, 32, 63])
def test_another_cookie_closes_nothing(bit: int, in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[t.Any, bool, bool]:
        with holding(listening) as holder, SockDestroy() as link:
            with SockDiag() as diag:
                right = identity_of(next(iter(diag.messages(mask(ESTABLISHED)))))
            cookie = int.from_bytes(right.cookie, "little") ^ (1 << bit)
            wrong = Identity(right.family, right.id[:-8] + cookie.to_bytes(8, "little"))
            spared = link.destroy(wrong)
            return holder.go_on(), spared, link.destroy(right)

    assert in_namespace(body) == ((LISTEN, [ESTABLISHED, ESTABLISHED]), False, True)


def leak() -> Steps:
    """Ten sockets in CLOSE_WAIT, one of them twice; another process has three of them, too."""
    server, made = pairs(10)
    for client, _accepted in made:
        client.close()
    again = os.dup(made[0][1].fileno())
    child = os.fork()
    if child == 0:
        server.close()
        os.close(again)
        for _client, accepted in made[3:]:
            accepted.close()
        time.sleep(60)
        os._exit(0)
    yield None
    yield child, [state_of(accepted) for _client, accepted in made]
    os.kill(child, 9)
    os.waitpid(child, 0)
    yield None


def test_descriptors_that_stay_are_counted(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Data, Data, int, int, t.List[int], t.Dict[str, int]]:
        with holding(leak) as holder:
            time.sleep(0.2)
            told = run("CLOSE_WAIT", check=True)
            done = run("CLOSE_WAIT")
            child, seen = holder.go_on()
            left = states()
            holder.go_on()
            return told, done, holder.pid, child, seen, left

    told, done, pid, child, seen, left = in_namespace(body)
    counts = {row["pid"]: row["count"] for row in done["descriptors_still_held"]}
    assert counts == {pid: 10 + 1, child: 3}
    assert same(told, done)
    assert (told["descriptors_still_held"], told["warnings"]) == (done["descriptors_still_held"], done["warnings"])
    assert "14 descriptors of these sockets still open, 11 of them" in done["warnings"][0]
    assert seen == [DEAD] * 10
    # The other ends have got a reset.
    assert left == {"LISTEN": 1}


def reacting() -> Steps:
    """An application that closes what fails."""
    _server, made = pairs(5)
    yield None
    for client, accepted in made:
        for one in (client, accepted):
            try:
                one.recv(1)
            except ConnectionError:
                one.close()
    yield None


def test_an_application_that_reacts_keeps_nothing(in_namespace: Sandbox) -> None:
    def body() -> Data:
        with holding(reacting) as holder:
            holder.begin()
            return run("ESTABLISHED", local_port=[8080])

    done = in_namespace(body)
    assert (done["destroyed"], done["descriptors_still_held"], done["warnings"]) == (5, [], [])


def idle() -> Steps:
    """Six connections, of which half had traffic just now."""
    _server, made = pairs(6)
    yield None
    for client, accepted in made[:3]:
        client.send(b"x")
        accepted.recv(1)
    yield None
    yield [state_of(accepted) for _client, accepted in made]


@pytest.mark.parametrize("idle_by", ["traffic", "data"])
def test_idle_connections_alone_are_closed(idle_by: str, in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Data, t.List[int]]:
        with holding(idle) as holder:
            time.sleep(2.1)
            holder.go_on()
            done = run("ESTABLISHED", local_port=[8080], idle=2, idle_by=idle_by)
            return done, holder.go_on()

    done, seen = in_namespace(body)
    assert (done["matched"], done["destroyed"]) == (3, 3)
    assert seen == [ESTABLISHED] * 3 + [DEAD] * 3
    assert all(2.1 <= row["idle"] < 60 for row in done["samples"])


def aged() -> Steps:
    """Five connections, each a second older than the next."""
    server, made = pairs(0)
    for _number in range(5):
        client = socket.create_connection(server.getsockname())
        made.append((client, server.accept()[0]))
        time.sleep(1.05)
    yield None
    yield [state_of(accepted) for _client, accepted in made]


@pytest.mark.parametrize("keep, most, gone", [(2, 100, 3), (0, 2, 2), (4, 3, 1), (5, 1, 0)])
def test_the_longest_idle_go_and_the_rest_is_kept(keep: int, most: int, gone: int, in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Data, Data, t.List[int]]:
        with holding(aged) as holder:
            options: Data = {"local_port": [8080], "keep": keep, "max": most}
            told = run("ESTABLISHED", check=True, **options)
            return told, run("ESTABLISHED", **options), holder.go_on()

    told, done, seen = in_namespace(body)
    assert seen == [DEAD] * gone + [ESTABLISHED] * (5 - gone)
    assert (done["matched"], done["destroyed"], done["beyond_max"]) == (5, gone, max(0, 5 - keep - gone))
    assert same(told, done)
    assert [row["remote_port"] for row in told["samples"]] == [row["remote_port"] for row in done["samples"]]


def dual_stack() -> Steps:
    server, made = pairs(3, listen="::")
    client = socket.create_connection(("::1", 8080))
    made.append((client, server.accept()[0]))
    yield None
    yield [state_of(accepted) for _client, accepted in made]


@pytest.mark.parametrize(
    "address, mapped, seen",
    [
        ("127.0.0.0/8", 3, [DEAD] * 3 + [ESTABLISHED]),
        ("::ffff:127.0.0.1", 3, [DEAD] * 3 + [ESTABLISHED]),
        ("::1", 0, [ESTABLISHED] * 3 + [DEAD]),
        ("::/0", 0, [ESTABLISHED] * 3 + [DEAD]),
    ],
)
def test_ipv4_connections_of_ipv6_sockets(address: str, mapped: int, seen: t.List[int], in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Data, Data, t.List[int]]:
        with holding(dual_stack) as holder:
            options: Data = {"local_port": [8080], "local_address": [address]}
            told = run("ESTABLISHED", check=True, **options)
            return told, run("ESTABLISHED", **options), holder.go_on()

    told, done, found = in_namespace(body)
    assert found == seen
    for result in (told, done):
        assert result["v4_mapped"] == mapped
        assert any("IPv4 connections of IPv6 sockets" in warning for warning in result["warnings"]) == bool(mapped)
        assert {row["family"] for row in result["samples"]} == {"inet6"}


def test_without_the_right_nothing_is_done(in_namespace: Sandbox) -> None:
    def body() -> t.Any:
        with holding(listening) as holder:
            codecs.lookup("ascii")
            os.seteuid(65534)
            for check in (True, False):
                with pytest.raises(MissingRight, match="CAP_NET_ADMIN"):
                    run("ESTABLISHED", local_port=[8080], check=check)
            os.seteuid(0)
            return holder.go_on()

    assert in_namespace(body) == (LISTEN, [ESTABLISHED, ESTABLISHED])


def test_where_it_cannot_be_tried_that_is_said(in_namespace: Sandbox) -> None:
    def body() -> None:
        os.system("ip link set lo down")
        for state in ("CLOSE_WAIT", "SYN_RECV"):
            with pytest.raises(Unsupported, match=f"sockets in {state} .* loopback"):
                probe.demand([state])

    in_namespace(body)


@pytest.mark.parametrize("state", CLOSABLE)
def test_trying_leaves_nothing_behind(state: str, in_namespace: Sandbox) -> None:
    def body() -> t.Dict[str, int]:
        probe.demand([state])
        return states()

    assert in_namespace(body) == {}


def test_a_kernel_that_leaves_orphans_for_ever_is_not_asked_to_close_them(
    in_namespace: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before Linux 6.11: it reports success, and the orphan stays."""

    def body() -> t.Dict[str, int]:
        monkeypatch.setattr(SockDestroy, "destroy", lambda _link, _identity: True)
        for state in ("FIN_WAIT1", "FIN_WAIT2", "CLOSING", "LAST_ACK"):
            with pytest.raises(Unsupported, match=f"sockets in {state} cannot be closed here: .* before Linux 6.11"):
                probe.demand([state])
        return states()

    assert in_namespace(body) == {}


def test_in_another_namespace(namespace_pid: int, in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Data, Data, t.Any]:
        with holding(listening) as holder:
            elsewhere = run("ESTABLISHED", local_port=[8080], netns=str(namespace_pid))
            return elsewhere, run("ESTABLISHED", local_port=[8080], netns=str(holder.pid)), holder.go_on()

    elsewhere, done, seen = in_namespace(body)
    assert (elsewhere["matched"], done["destroyed"], done["descriptors_still_held"][0]["count"]) == (0, 1, 1)
    assert seen == (LISTEN, [DEAD, DEAD])


def test_connections_of_our_own_parents_stay(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[Data, t.List[int]]:
        _server, made = pairs(1)
        return run("ESTABLISHED", local_port=[8080]), [state_of(one) for one in made[0]]

    done, seen = in_namespace(body)
    assert (done["matched"], done["destroyed"], seen) == (0, 0, [ESTABLISHED] * 2)
    assert any("this task's connection or its parents use them" in warning for warning in done["warnings"])


@pytest.mark.parametrize(
    "units, unit, matched",
    [
        (("app.service", "app.service"), "app.service", 10),
        (("app.service", "other.service"), "app.service", 7),
        (("app.service", None), "app", 7),
        (("app.service", "other.service"), "other.service", 0),
        ((None, None), "app.service", 0),
    ],
)
def test_a_unit_means_what_it_alone_holds(
    units: t.Tuple[t.Optional[str], t.Optional[str]],
    unit: str,
    matched: int,
    in_namespace: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def body() -> Data:
        with holding(leak) as holder:
            time.sleep(0.2)
            monkeypatch.setattr(
                cgroups, "unit_of", lambda pid, _root="/proc": units[0] if pid == holder.pid else units[1]
            )
            done = run("CLOSE_WAIT", unit=unit)
            holder.go_on()
            holder.go_on()
            return done

    done = in_namespace(body)
    assert (done["matched"], done["destroyed"]) == (matched, matched)


def changing() -> Steps:
    """A connection in CLOSE_WAIT that is then closed, or passed on, or has traffic."""
    _server, made = pairs(4)
    for client, _accepted in made:
        client.shutdown(socket.SHUT_WR)
    yield None
    made[0][1].close()
    os.fchown(made[1][1].fileno(), 1234, 1234)
    made[2][1].send(b"x")
    yield None
    yield None


def test_each_is_looked_at_again_before_it_is_closed(in_namespace: Sandbox) -> None:
    def body() -> t.Tuple[t.List[str], t.Dict[str, int]]:
        with holding(changing) as holder:
            time.sleep(1.1)
            wanted = request("CLOSE_WAIT", idle=1)
            chosen = sorted(close.look(wanted).choice.connections, key=lambda one: one.inode)
            holder.go_on()
            fates = close.close_all(wanted, chosen, {})
            return [fate for _one, fate in fates], states()

    fates, left = in_namespace(body)
    assert sorted(fates) == sorted([GONE, CHANGED, CHANGED, CLOSED]) or sorted(fates) == sorted(
        [CHANGED] * 3 + [CLOSED]
    )
    assert left["CLOSE_WAIT"] == 2
