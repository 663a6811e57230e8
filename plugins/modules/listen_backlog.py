#!/usr/bin/python

# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: listen_backlog
short_description: Give a server's listening sockets the backlog they need, in force at once and after a restart
version_added: 0.1.0
author:
  - The nettune.tcp contributors (@nettune)
description:
  - Sets the listen backlog, which limits the accept queue, in a server's configuration and in the running kernel.
  - Success is what the kernel says afterwards. A number that is configured but not in force is reported, and why.
  - Nothing is restarted or reloaded unless asked for. The listening socket is duplicated with C(pidfd_getfd) and
    C(listen) is called on it. The service notices nothing, its processes stay, and no connection is lost.
  - The configuration is edited in place, only the directives concerned. The server itself judges it before the edit,
    in check mode too, and after it, before anything else is done. If that fails, every file is put back.
  - A process is taken for the server when root has started it, or it is the main process of O(unit), or root made its
    socket, and its program is root's. Its name proves nothing. Whoever else holds an address of the configuration
    is named as the reason why the server does not listen there, and left alone.
extends_documentation_fragment:
  - nettune.tcp._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the edited files, and the backlog in the kernel of each listener that changes.
options:
  server:
    description:
      - The server whose listeners are meant, which is also to say what is edited.
      - V(nginx) gets C(backlog=) on the C(listen) line of each address and port, in http, stream and mail, over all
        included files. Only one line for an address and port may have options, so the number is set on exactly one.
        A C(server) without C(listen) gets one. nginx asks for 511 where nothing is said.
      - V(apache) has one C(ListenBacklog) for all sockets, of which the last one wins, and that is edited. Where there
        is none, C(nettune-tcp.conf) is added to C(conf-enabled) or C(conf.d), if the configuration includes all files
        of it, else a line at the end of the main file. Apache asks for 511 where nothing is said.
      - V(haproxy) gets C(backlog) on the C(bind) line, or in the section when that has one already or all of its binds
        get the same. What counts is, in this order, the C(backlog) of the bind, that of the section, which may
        come from C(defaults), and the C(maxconn) of the bind, of the section, and of C(global).
      - V(lighttpd) gets C(server.listen-backlog), globally, or in the C($SERVER["socket"]) block that shall differ.
      - V(systemd_socket) is a socket unit of systemd, named by O(unit). C(Backlog=) is one for all of its sockets and
        goes into C(/etc/systemd/system/UNIT.d/zz-nettune-tcp.conf). A drop-in that is read later and sets another
        number is an error. systemd asks for all that C(net.core.somaxconn) allows where nothing is said.
      - V(any) is whatever listens on O(listen), such as Node.js, gunicorn or Tomcat. It has no configuration that
        is known here, so only the backlog in the kernel is changed. A restart of that server brings its own back.
      - With V(apache) and V(systemd_socket) O(listen) chooses what is looked at. The number changes for all sockets.
    type: str
    required: true
    choices: [apache, haproxy, lighttpd, nginx, systemd_socket, any]
  backlog:
    description:
      - The backlog that is wanted, a number, which means V(exactly), or a dictionary with one relation.
      - 'The relations are C(exactly), C(at_least) and C(at_most). With C(at_least) a listener that has more keeps it.'
      - The kernel cuts it to C(net.core.somaxconn), which M(nettune.tcp.sysctl) raises.
      - Needed with O(state=present).
    type: raw
  listen:
    description:
      - The sockets that are meant, as port, C(address:port), C(*:port), C([address]:port), or path of a UNIX socket.
      - A port alone means all addresses. Without this option all sockets of the server are meant.
      - Required with O(server=any).
    type: list
    elements: str
  config:
    description:
      - The main file of the server's configuration. What it includes is read and edited too.
      - By default C(/etc/nginx/nginx.conf), C(/etc/apache2/apache2.conf) or C(/etc/httpd/conf/httpd.conf),
        C(/etc/lighttpd/lighttpd.conf), and with HAProxy the files and directories that its unit is started with,
        else C(/etc/haproxy/haproxy.cfg).
      - Not for O(server=any). With O(server=systemd_socket) O(unit) says it.
    type: path
  unit:
    description:
      - The systemd unit that runs the server. By default C(nginx.service), C(apache2.service), C(haproxy.service) or
        C(lighttpd.service). With Apache on Red Hat's and SUSE's kin it is C(httpd.service) or the like.
      - Required with O(server=systemd_socket), such as C(cups.socket).
      - When the unit runs in a network namespace of its own, the sockets and C(net.core.somaxconn) of that one count.
    type: str
  apply:
    description:
      - How a number gets into force when it is not. The configuration is edited in any case.
      - V(auto) is V(live) with every server. Where that cannot be, because the kernel is older than Linux 5.6 or the
        right to it is missing, nginx is reloaded, if the number in its configuration changes; of the others a
        restart is said to be required, and none is made.
      - V(live) calls C(listen) on the very socket of the running server. It needs Linux 5.6 and root. The queue stays
        as long as it is open, also when the server is reloaded. It fails where V(auto) would do something else.
      - V(reload) reloads the unit, or sends the server's signal for it where no unit runs it. That is of use with nginx
        alone, which then calls C(listen) where the number in its configuration has changed. It replaces its
        workers, closes the connections that clients keep open, and resets those on which a request comes just then.
        Apache, HAProxy and lighttpd keep their sockets as they are, but for HAProxy's on a single IPv6 address, which
        it opens anew. Socket units cannot be reloaded.
      - V(restart) restarts the unit, with a socket unit also the service that it has started. Every server takes the
        configured number then. Connections are refused and lost meanwhile.
      - V(none) edits the configuration only. In check mode it tells how things are, without what the cure would do.
    type: str
    choices: [auto, live, reload, restart, none]
    default: auto
  state:
    description:
      - V(present) makes the backlog hold.
      - V(absent) gives the listeners back what they had before they were first managed here, in the configuration and
        in force. Files that nobody else has changed since become what they were, in others only the number does.
        Listeners of which nothing is recorded are left alone.
    type: str
    choices: [present, absent]
    default: present
notes:
  - The server judges its configuration by the program that its master runs, or else by the one of that name in an
    absolute directory of C(PATH) or of the system. Program and script, its interpreter, and every directory on the way
    must be root's and writable by nobody else, or else belong to the user who is not root and runs this module.
  - As root no program is run on a main configuration file that somebody else may write, since it can name modules and
    commands to run. What such a file includes is the server's own trust in it. C(include_shell) of lighttpd is not run
    once a file was read that somebody else may write.
  - A file of another user than root is edited only in a directory that is root's, so that nobody else decides where is
    written; it stays that user's. Below a directory that others may write, files are read, without following links, and
    only where everybody may read them or they are another user's; where one of them would have to be edited, the module
    fails and says why.
  - A program is given 60 seconds, C(systemctl) 30 to show, 90 to read its units and 300 to restart one. Then it is
    ended with all that it has started, and what was changed is put back. Long outputs are cut in the middle.
  - Root is needed to change anything. Without it the module says what is missing and changes nothing.
  - What a reload does was tried with nginx 1.22, Apache 2.4.62 to 2.4.71, HAProxy 2.6, 3.0 and 3.2, lighttpd 1.4.59 to
    1.4.85, and systemd 247 to 262.
  - Before Linux 4.4 the queue of half-open connections is sized when a socket is opened, and only a restart resizes it.
  - A reload or a restart makes the server read all of its configuration, other changes that had been waiting in it too.
  - A file that is a link, such as those in C(sites-enabled), stays one. What it leads to is edited.
  - Everything that a run replaces is recorded before, for M(nettune.tcp.rollback).
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

- name: Give all of nginx's listeners room for bursts, without a restart or a reload
  nettune.tcp.listen_backlog:
    server: nginx
    backlog: {at_least: 4096}
  register: queues

- name: Show listeners that fall short, and why
  ansible.builtin.debug:
    msg: "{{ item.address }}:{{ item.port }}: {{ item.status }} {{ item.reason }}"
  loop: "{{ queues.listeners }}"
  when: item.status != 'effective'

- name: Set one listener of one configuration exactly
  nettune.tcp.listen_backlog:
    server: nginx
    config: /srv/edge/nginx.conf
    unit: nginx-edge.service
    listen: ["*:443", "[::]:443"]
    backlog: 8192

- name: Give HAProxy, Apache and lighttpd the same, though none of them would take it by a reload
  nettune.tcp.listen_backlog:
    server: "{{ item }}"
    backlog: {at_least: 4096}
  loop: [haproxy, apache, lighttpd]

- name: Let a socket unit of systemd have a longer queue, with a drop-in and at once
  nettune.tcp.listen_backlog:
    server: systemd_socket
    unit: app.socket
    backlog: 8192

- name: Edit now, and let the restart in tonight's maintenance bring it into force
  nettune.tcp.listen_backlog:
    server: apache
    unit: httpd.service
    backlog: 8192
    apply: none

- name: Only tell which of HAProxy's queues are shorter than that, and change nothing
  nettune.tcp.listen_backlog:
    server: haproxy
    backlog: {at_least: 4096}
    apply: none
  check_mode: true

- name: Give nginx's listeners back what they had
  nettune.tcp.listen_backlog:
    server: nginx
    state: absent

- name: Raise the queue of a Node.js server while it runs. Its own number comes back when it is restarted
  nettune.tcp.listen_backlog:
    server: any
    listen: [3000]
    backlog: {at_least: 4096}
"""

RETURN = r"""
listeners:
  description: One entry for each listener that is meant, in the order of the configuration.
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
        - The number in the configuration before, the server's own default where it had none.
        - Null with O(server=any).
      type: int
      returned: always
      sample: 511
    configured:
      description: The number in the configuration now. 0 where only the server itself can tell.
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
        - The limit in the kernel before. Null where nothing listened.
        - Of several sockets with C(SO_REUSEPORT) the smallest.
      type: int
      returned: always
      sample: 511
    backlog:
      description: The limit in the kernel now, as read back; in check mode what it would be.
      type: int
      returned: always
      sample: 4096
    status:
      description:
        - V(effective) means that what is wanted is in force.
        - V(clamped_by_somaxconn) means that the kernel gives no more. RV(listeners[].reason) has the number needed.
        - V(stale) means that the number is configured but not in force, and that O(apply) did not allow the cure.
        - V(restart_required) means that nothing but a restart would do it here.
        - V(not_listening) means that the server does not listen there now. Its next start takes the configured number.
      type: str
      returned: always
      sample: effective
    reason:
      description: Why the status is what it is, empty where there is nothing to add.
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
  description: The id of the record of this run, for M(nettune.tcp.rollback). Null where nothing was changed.
  returned: success
  type: str
  sample: 20260314T092653.589793Z-1f3a
refused:
  description: What the server said about the new configuration, before it was put back.
  returned: when the server refused it
  type: str
restored:
  description: What was put back after a failure, newest change first.
  returned: failure during the change
  type: list
  elements: str
not_restored:
  description: What could not be put back, with the reason.
  returned: failure during the change, when restoring failed too
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
