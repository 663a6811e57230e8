#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: listen_backlog
short_description: Set the listen backlog of a server's sockets, effective at once and after a restart
version_added: 1.0.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Sets the listen backlog, which limits the accept queue, in a server's configuration and in the running kernel.
  - Success is what the kernel reports afterwards. A backlog that is configured but not in force is reported, with the
    reason.
  - Nothing is restarted or reloaded unless asked for. The listening socket is duplicated with C(pidfd_getfd), and
    C(listen) is called on it. The service notices nothing, its processes stay, and no connection is lost.
  - Only the relevant directives of the configuration are edited, in place. The server's own check validates it before
    the edit, in check mode too, and again after the edit, before anything else is done. If that fails, every file is
    restored.
  - A process counts as the server if root started it, or it is the main process of O(unit), or root created its socket,
    and its program is owned by root. Its name proves nothing. Any other process that holds a configured address is
    named as the reason why the server does not listen there, and left alone.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the edited files, and the kernel's backlog for each listener that changes.
options:
  server:
    description:
      - The server whose listeners to manage, which also determines what is edited.
      - V(nginx) gets C(backlog=) on the C(listen) line of each address and port, in http, stream and mail, across all
        included files. Only one line per address and port may have options, so the number is set on exactly one. A
        C(server) without C(listen) gets one. By default nginx asks for 511.
      - V(apache) has one C(ListenBacklog) for all sockets. The last one wins and is edited. If there is none,
        C(nettune-tcp.conf) is added to C(conf-enabled) or C(conf.d) if the configuration includes all files there, or
        else a line at the end of the main file. By default Apache asks for 511.
      - V(haproxy) gets C(backlog) on the C(bind) line, or in the section if that already has one or all of its binds
        get the same. In order of precedence, the C(backlog) of the bind counts, then that of the section, which may
        come from C(defaults), then the C(maxconn) of the bind, of the section, and of C(global).
      - V(lighttpd) gets C(server.listen-backlog), globally, or in the C($SERVER["socket"]) block that should differ.
      - V(systemd_socket) is a systemd socket unit, named by O(unit). One C(Backlog=) applies to all of its sockets and
        goes into C(/etc/systemd/system/UNIT.d/zz-nettune-tcp.conf). A later drop-in that sets another number is an
        error. By default systemd asks for as much as C(net.core.somaxconn) allows.
      - V(any) is any process that listens on O(listen), such as Node.js, gunicorn or Tomcat. Its configuration is
        unknown to this module, so only the backlog in the kernel is changed. When that server restarts, its own backlog
        returns.
      - With V(apache) and V(systemd_socket), O(listen) only selects which listeners are checked. The number changes for
        all sockets.
    type: str
    required: true
    choices: [apache, haproxy, lighttpd, nginx, systemd_socket, any]
  backlog:
    description:
      - The desired backlog, as a number, which means V(exactly), or a dictionary with one relation.
      - 'The relations are C(exactly), C(at_least) and C(at_most). With C(at_least), a listener that has more keeps it.'
      - The kernel caps it at C(net.core.somaxconn), which M(nettune.tcp.sysctl) raises.
      - Required with O(state=present).
    type: raw
  listen:
    description:
      - The sockets to manage, as port, C(address:port), C(*:port), C([address]:port), or path of a UNIX socket.
      - A port alone means all addresses. Without this option all sockets of the server are managed.
      - Required with O(server=any).
    type: list
    elements: str
  config:
    description:
      - The main file of the server's configuration. What it includes is read and edited too.
      - By default C(/etc/nginx/nginx.conf), C(/etc/apache2/apache2.conf) or C(/etc/httpd/conf/httpd.conf),
        C(/etc/lighttpd/lighttpd.conf), and for HAProxy the files and directories that its unit is started with, or else
        C(/etc/haproxy/haproxy.cfg).
      - Not for O(server=any). For O(server=systemd_socket) use O(unit) instead.
    type: path
  unit:
    description:
      - The systemd unit that runs the server. By default C(nginx.service), C(apache2.service), or C(httpd.service)
        if the host has only that, C(haproxy.service) or C(lighttpd.service).
      - Required with O(server=systemd_socket), such as C(cups.socket).
      - If the unit runs in its own network namespace, the sockets and C(net.core.somaxconn) of that namespace count.
    type: str
  apply:
    description:
      - How to apply a backlog that is not yet in force. The configuration is edited in any case.
      - V(auto) means V(live) for every server. If that is impossible, because the kernel is older than Linux 5.6 or the
        privilege is missing, nginx is reloaded if the number in its configuration changes; for the others a restart is
        reported as required, but not performed.
      - V(live) calls C(listen) on the running server's open socket. It needs Linux 5.6 and root. The new limit lasts as
        long as the socket is open, even across reloads. It fails where V(auto) would do something else.
      - V(reload) reloads the unit, or sends the server its reload signal if it does not run in a unit. This helps only
        with nginx, which then calls C(listen) if the number in its configuration has changed. A reload replaces nginx's
        workers, closes connections that clients keep open, and resets those on which a request arrives at that moment.
        Apache, HAProxy and lighttpd keep their sockets as they are, except HAProxy's on a single IPv6 address, which it
        reopens. Socket units cannot be reloaded.
      - V(restart) restarts the unit, and for a socket unit also the service that it has started. Every server then uses
        the configured number. Connections are refused and lost meanwhile.
      - V(none) edits the configuration only. In check mode it reports the current state, without what applying would
        change.
    type: str
    choices: [auto, live, reload, restart, none]
    default: auto
  state:
    description:
      - V(present) sets the backlog.
      - V(absent) restores what the listeners had before they were first managed here, both configured and in force.
        Files that nobody else has changed since are restored completely; in others only the number is. Listeners
        without a record are left alone.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The configuration is checked with the program that the server's master runs, or else with the one of that name in an
    absolute directory of C(PATH) or in a system directory. The program or script, its interpreter, and every directory
    leading to them must be owned by root and writable by nobody else, or belong to the unprivileged user who runs this
    module.
  - As root, no program is run on a main configuration file that somebody else may write, since it can name modules and
    commands to run. Included files are trusted as far as the server itself trusts them. lighttpd's C(include_shell) is
    not run once a file that somebody else may write has been read.
  - A file owned by a user other than root is edited only in a directory that belongs to root, so that nobody else
    decides where to write; it stays that user's. Below a directory that others may write, files are read without
    following links, and only if they are world-readable or owned by another user; if one of them would have to be
    edited, the module fails and says why.
  - Programs time out after 60 seconds; C(systemctl) after 30 to show, 90 to reload its units and 300 to restart one.
    Then the program is ended with everything that it has started, and all changes are restored. Long output is cut in
    the middle.
  - Root is needed to change anything. Without it, the module says what is missing and changes nothing.
  - The effects of a reload were tested with nginx 1.22, Apache 2.4.62 to 2.4.71, HAProxy 2.6, 3.0 and 3.2, lighttpd
    1.4.59 to 1.4.85, and systemd 247 to 262.
  - Before Linux 4.4 the SYN queue is sized when a socket is opened, and only a restart resizes it.
  - A reload or a restart makes the server read all of its configuration, including other pending changes.
  - A file that is a symbolic link, such as those in C(sites-enabled), stays one. Its target is edited.
  - Everything that a run replaces is recorded beforehand, for M(nettune.tcp.rollback).
seealso:
  - module: nettune.tcp.tuning
  - module: nettune.tcp.rollback
  - module: nettune.tcp.sysctl
  - module: nettune.tcp.tcp_facts
"""

EXAMPLES = r"""
- name: Let the kernel allow what the server will ask for
  nettune.tcp.sysctl:
    settings:
      net.core.somaxconn: {at_least: 16384}

- name: Give all nginx listeners room for bursts, without a restart or a reload
  nettune.tcp.listen_backlog:
    server: nginx
    backlog: {at_least: 4096}
  register: queues

- name: Show listeners that fall short, and why
  ansible.builtin.debug:
    msg: "{{ item.address }}:{{ item.port }}: {{ item.status }} {{ item.reason }}"
  loop: "{{ queues.listeners }}"
  when: item.status != 'effective'

- name: Set the listeners on one port of one configuration exactly
  nettune.tcp.listen_backlog:
    server: nginx
    config: /srv/edge/nginx.conf
    unit: nginx-edge.service
    listen: ["*:443", "[::]:443"]
    backlog: 8192

- name: Do the same for HAProxy, Apache and lighttpd, none of which would apply it on a reload
  nettune.tcp.listen_backlog:
    server: "{{ item }}"
    backlog: {at_least: 4096}
  loop: [haproxy, apache, lighttpd]

- name: Give a systemd socket unit a longer queue, with a drop-in and at once
  nettune.tcp.listen_backlog:
    server: systemd_socket
    unit: app.socket
    backlog: 8192

- name: Edit now, and let the restart in tonight's maintenance window apply it
  nettune.tcp.listen_backlog:
    server: apache
    unit: httpd.service
    backlog: 8192
    apply: none

- name: Only report which HAProxy queues are shorter, and change nothing
  nettune.tcp.listen_backlog:
    server: haproxy
    backlog: {at_least: 4096}
    apply: none
  check_mode: true

- name: Restore what nginx's listeners had
  nettune.tcp.listen_backlog:
    server: nginx
    state: absent

- name: Raise the queue of a running Node.js server, until it restarts
  nettune.tcp.listen_backlog:
    server: any
    listen: [3000]
    backlog: {at_least: 4096}
"""

RETURN = r"""
listeners:
  description: One entry per managed listener, in the order of the configuration.
  returned: success
  type: list
  elements: dict
  contains:
    address:
      description: The address, or the path of a UNIX socket.
      type: str
      returned: always
      sample: 0.0.0.0
    port:
      description: The port, 0 for a UNIX socket.
      type: int
      returned: always
      sample: 80
    family:
      description: V(inet), V(inet6) or V(unix).
      type: str
      returned: always
      sample: inet
    configured_before:
      description:
        - The number in the configuration before, or the server's default if it had none.
        - Null with O(server=any).
      type: int
      returned: always
      sample: 511
    configured:
      description: The number in the configuration now. 0 if only the server itself knows.
      type: int
      returned: always
      sample: 4096
    source:
      description: The file and line that set it. Null with O(server=any).
      type: str
      returned: always
      sample: /etc/nginx/sites-enabled/default:22
    somaxconn:
      description: The value of C(net.core.somaxconn) in the network namespace of the socket.
      type: int
      returned: always
      sample: 16384
    backlog_before:
      description:
        - The limit in the kernel before. Null if nothing listened.
        - With several C(SO_REUSEPORT) sockets, the smallest.
      type: int
      returned: always
      sample: 511
    backlog:
      description: The limit in the kernel now, as read back; in check mode, what it would be.
      type: int
      returned: always
      sample: 4096
    status:
      description:
        - V(effective) means that the desired backlog is in force.
        - V(clamped_by_somaxconn) means that the kernel allows no more. RV(listeners[].reason) has the number needed.
        - V(stale) means that the number is configured but not in force, and that O(apply) does not allow applying it.
        - V(restart_required) means that only a restart can apply it here.
        - V(not_listening) means that the server does not listen there now. It will use the configured number at its
          next start.
      type: str
      returned: always
      sample: effective
    reason:
      description: Why the status is what it is. Empty if there is nothing to add.
      type: str
      returned: always
      sample: ""
restart_required:
  description: Whether any listener needs a restart of its server.
  returned: success
  type: bool
  sample: false
files:
  description: The files that were edited, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [/etc/nginx/sites-enabled/default]
run:
  description: The id of this run's record, for M(nettune.tcp.rollback). Null if nothing was changed.
  returned: success
  type: str
  sample: 20260314T092653.589793Z-1f3a
refused:
  description: What the server said about the new configuration, before the old one was restored.
  returned: if the server refused it
  type: str
restored:
  description: What was restored after a failure, newest change first.
  returned: failure during the change
  type: list
  elements: str
not_restored:
  description: What could not be restored, with the reason.
  returned: failure during the change, if restoring failed too
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.nettune.tcp.plugins.module_utils import _module
from ansible_collections.nettune.tcp.plugins.module_utils._backlog import apply
from ansible_collections.nettune.tcp.plugins.module_utils._backlog.request import parse_request
from ansible_collections.nettune.tcp.plugins.module_utils._servers import table


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "server": {
                "type": "str",
                "required": True,
                "choices": [*table.BY_NAME, "any"],
            },
            "backlog": {"type": "raw"},
            "listen": {"type": "list", "elements": "str"},
            "config": {"type": "path"},
            "unit": {"type": "str"},
            "apply": {"type": "str", "choices": ["auto", "live", "reload", "restart", "none"], "default": "auto"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        required_if=[("state", "present", ["backlog"])],
        supports_check_mode=True,
    )
    _module.run(module, lambda: apply.manage(parse_request(module.params), check_mode=module.check_mode))


if __name__ == "__main__":
    main()
