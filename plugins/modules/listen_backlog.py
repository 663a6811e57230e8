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
  - Nothing is restarted unless asked for. A reload does not bring the number into force with most servers, and with
    nginx only when it has changed in the configuration. Where it does not, the listening socket is duplicated with
    C(pidfd_getfd) and C(listen) is called on it. The service notices nothing and no connection is lost.
  - The configuration is edited in place, only the directives concerned, and is judged by the server itself before it is
    used. If that fails, every file is put back.
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
      - The server whose listeners are meant.
      - V(apache) and V(systemd_socket) have a single number for all sockets, so O(listen) chooses what is looked at,
        and the configured number changes for all of them.
      - V(systemd_socket) is a socket unit of systemd, named by O(unit). Its number goes into a drop-in.
      - V(any) is whatever listens on O(listen), such as Node.js, gunicorn or Tomcat. It has no configuration that
        is known here, so only the backlog in the kernel is changed. A restart of that server brings its own back.
    type: str
    required: true
    choices: [nginx, apache, haproxy, lighttpd, systemd_socket, any]
  backlog:
    description:
      - The backlog that is wanted, a number, which means V(exactly), or a dictionary with one relation.
      - 'The relations are C(exactly), C(at_least) and C(at_most). With C(at_least) a listener that has more keeps it.'
      - The kernel cuts it to C(net.core.somaxconn), which M(nettune.tcp.sysctl) raises.
    type: raw
    required: true
  listen:
    description:
      - The sockets that are meant, as port, C(address:port), C(*:port), C([address]:port), or path of a UNIX socket.
      - A port alone means all addresses. Without this option all sockets of the server are meant.
      - Required with O(server=any).
    type: list
    elements: str
  config:
    description:
      - The main file of the server's configuration. By default the one that the distribution uses, with HAProxy
        the files that its unit is started with.
    type: path
  unit:
    description:
      - The systemd unit that runs the server. By default the one that Debian uses, such as C(nginx.service).
      - Required with O(server=systemd_socket), such as C(cups.socket).
      - When the unit runs in a network namespace of its own, the sockets and C(net.core.somaxconn) of that one count.
    type: str
  apply:
    description:
      - How a number gets into force when it is not.
      - V(auto) takes the least disruptive way that works. With nginx it is a reload when the configured number
        changes. In all other cases it is V(live).
      - V(live) calls C(listen) on the very socket of the running server. It needs Linux 5.6 and root.
      - V(reload) reloads the unit, or sends the server's signal for it where no unit runs it. It is of no use
        with servers that do not call C(listen) again.
      - V(restart) restarts the unit, a socket unit together with its service. Connections are lost.
      - V(none) edits the configuration only. In check mode it tells how things are, without what the cure would do.
    type: str
    choices: [auto, live, reload, restart, none]
    default: auto
notes:
  - Root is needed to change anything. Without it the module says what is missing and changes nothing.
  - Before Linux 4.4 the queue of half-open connections is sized when a socket is opened, and only a restart resizes it.
  - A reload makes the server read all of its configuration, other changes that had been waiting in it too.
  - With nginx only one C(listen) line for an address and port may have options, so the number is set on exactly one,
    over all included files. A link such as those in C(sites-enabled) stays a link.
seealso:
  - module: nettune.tcp.sysctl
  - module: nettune.tcp.tcp_facts
"""

EXAMPLES = r"""
- name: Let the kernel allow what the server will ask for
  nettune.tcp.sysctl:
    settings:
      net.core.somaxconn: {at_least: 16384}

- name: Give all of nginx's listeners room for bursts, without a restart
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

- name: Give HAProxy, Apache and a socket of systemd the same, though none of them would take it by a reload
  nettune.tcp.listen_backlog:
    server: "{{ item.server }}"
    unit: "{{ item.unit | default(omit) }}"
    backlog: {at_least: 4096}
  loop:
    - server: haproxy
    - server: apache
    - {server: systemd_socket, unit: app.socket}

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


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "server": {
                "type": "str",
                "required": True,
                "choices": ["nginx", "apache", "haproxy", "lighttpd", "systemd_socket", "any"],
            },
            "backlog": {"type": "raw", "required": True},
            "listen": {"type": "list", "elements": "str"},
            "config": {"type": "path"},
            "unit": {"type": "str"},
            "apply": {"type": "str", "choices": ["auto", "live", "reload", "restart", "none"], "default": "auto"},
        },
        supports_check_mode=True,
    )
    _module.run(module, lambda: apply.manage(parse_request(module.params), check_mode=module.check_mode))


if __name__ == "__main__":
    main()
