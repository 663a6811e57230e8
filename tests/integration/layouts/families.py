# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How other families of distributions than Debian lay out what this collection reads, as small trees of files.

Each has the paths, names, links, units and includes of the packages of that family; of their content only what decides
which sockets a server opens, and which value a boot gives.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

Address = t.Tuple[str, int]


@dataclass(frozen=True)
class Expected:
    """What has to be found of one server, and the first line that another backlog puts into which file."""

    listens: t.FrozenSet[Address]
    edited: t.Mapping[str, str]
    command: t.Tuple[str, ...]  # of the running master
    unit: str


@dataclass(frozen=True)
class Family:
    """Files by path, links by path, and what has to be found there."""

    files: t.Mapping[str, str]
    links: t.Mapping[str, str]
    servers: t.Mapping[str, Expected]
    boot: t.Mapping[str, t.Tuple[str, str]]  # value and source, by sysctl


def _both(*ports: int) -> t.FrozenSet[Address]:
    return frozenset((address, port) for port in ports for address in ("0.0.0.0", "::"))


def _any6(*ports: int) -> t.FrozenSet[Address]:
    return frozenset(("::", port) for port in ports)


_NGINX = """\
user nginx;
worker_processes auto;
include /usr/share/nginx/modules/*.conf;
events { worker_connections 1024; }
http {
    include %s;
    server {
        listen       80;
        listen       [::]:80;
        server_name  _;
    }
}
"""
_HAPROXY = """\
global
    maxconn     4000
defaults
    mode        http
    maxconn     3000
frontend main
    bind *:5000
"""

RED_HAT = Family(
    files={
        "/etc/httpd/conf/httpd.conf": """\
ServerRoot "/etc/httpd"
Listen 80
Include conf.modules.d/*.conf
User apache
Group apache
IncludeOptional conf.d/*.conf
""",
        "/etc/httpd/conf.modules.d/00-base.conf": "LoadModule unixd_module modules/mod_unixd.so\n",
        "/etc/httpd/conf.modules.d/00-mpm.conf": "LoadModule mpm_event_module modules/mod_mpm_event.so\n",
        "/etc/httpd/conf.d/ssl.conf": "Listen 443 https\n<VirtualHost _default_:443>\n</VirtualHost>\n",
        "/etc/httpd/conf.d/README": "Listen 1\n",
        "/etc/sysconfig/httpd": "#\n# Configuration of httpd\n#\nLANG=C\n",
        "/usr/lib/systemd/system/httpd.service": """\
[Service]
Type=notify
Environment=LANG=C
ExecStart=/usr/sbin/httpd $OPTIONS -DFOREGROUND
ExecReload=/usr/sbin/httpd $OPTIONS -k graceful
""",
        "/etc/nginx/nginx.conf": _NGINX % "/etc/nginx/conf.d/*.conf",
        "/etc/nginx/conf.d/app.conf": "server { listen 8081; }\n",
        "/etc/nginx/conf.d/off.conf.disabled": "server { listen 1; }\n",
        "/usr/lib/systemd/system/nginx.service": "[Service]\nExecStart=/usr/sbin/nginx\n",
        "/etc/haproxy/haproxy.cfg": _HAPROXY,
        "/etc/haproxy/conf.d/app.cfg": "frontend app\n    bind *:5001\n",
        "/etc/sysconfig/haproxy": '# Command line options\nOPTIONS=""\n',
        "/usr/lib/systemd/system/haproxy.service": """\
[Service]
EnvironmentFile=-/etc/sysconfig/haproxy
Environment="CONFIG=/etc/haproxy/haproxy.cfg" "PIDFILE=/run/haproxy.pid" "CFGDIR=/etc/haproxy/conf.d"
ExecStartPre=/usr/sbin/haproxy -f $CONFIG -f $CFGDIR -c -q $OPTIONS
ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -f $CFGDIR -p $PIDFILE $OPTIONS
Type=notify
""",
        "/etc/lighttpd/lighttpd.conf": """\
var.server_root = "/var/www"
var.conf_dir    = "/etc/lighttpd"
include conf_dir + "/modules.conf"
server.port = 80
server.use-ipv6 = "disable"
include conf_dir + "/vhosts.d/*.conf"
""",
        "/etc/lighttpd/modules.conf": 'server.modules = ( "mod_access" )\n',
        "/usr/lib/systemd/system/lighttpd.service": (
            "[Service]\nExecStart=/usr/sbin/lighttpd -D -f /etc/lighttpd/lighttpd.conf\n"
        ),
        "/etc/sysctl.conf": "# sysctl settings are defined through files in sysctl.d\nnet.core.somaxconn = 1024\n",
        "/usr/lib/sysctl.d/50-default.conf": "net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n",
        "/usr/lib/sysctl.d/50-libkcapi-optmem_max.conf": "net.core.optmem_max = 81920\n",
        "/etc/sysctl.d/50-somaxconn.conf": "net.core.somaxconn = 512\n",
    },
    links={"/etc/sysctl.d/99-sysctl.conf": "../sysctl.conf"},
    servers={
        "apache": Expected(
            _any6(80, 443),
            {"/etc/httpd/conf.d/nettune-tcp.conf": "+ListenBacklog 4096"},
            ("/usr/sbin/httpd", "-DFOREGROUND"),
            "httpd.service",
        ),
        "nginx": Expected(
            _both(80) | {("0.0.0.0", 8081)},
            {
                "/etc/nginx/nginx.conf": "+        listen       80 backlog=4096;",
                "/etc/nginx/conf.d/app.conf": "+server { listen 8081 backlog=4096; }",
            },
            ("nginx: master process /usr/sbin/nginx",),
            "nginx.service",
        ),
        "haproxy": Expected(
            frozenset({("0.0.0.0", 5000), ("0.0.0.0", 5001)}),
            {
                "/etc/haproxy/haproxy.cfg": "+    bind *:5000 backlog 4096",
                "/etc/haproxy/conf.d/app.cfg": "+    bind *:5001 backlog 4096",
            },
            ("/usr/sbin/haproxy", "-Ws", "-f", "/etc/haproxy/haproxy.cfg", "-f", "/etc/haproxy/conf.d"),
            "haproxy.service",
        ),
        "lighttpd": Expected(
            frozenset({("0.0.0.0", 80)}),
            {"/etc/lighttpd/lighttpd.conf": "+server.listen-backlog = 4096"},
            ("/usr/sbin/lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"),
            "lighttpd.service",
        ),
    },
    boot={
        "net.core.somaxconn": ("1024", "/etc/sysctl.d/99-sysctl.conf:2"),
        "net.ipv4.conf.lo.rp_filter": ("2", "/usr/lib/sysctl.d/50-default.conf:2"),
    },
)

UBUNTU = Family(
    files={
        "/etc/apache2/apache2.conf": """\
Mutex file:${APACHE_LOCK_DIR} default
PidFile ${APACHE_PID_FILE}
IncludeOptional mods-enabled/*.load
Include ports.conf
IncludeOptional conf-enabled/*.conf
IncludeOptional sites-enabled/*.conf
""",
        "/etc/apache2/ports.conf": """\
Listen 80
<IfModule ssl_module>
        Listen 443
</IfModule>
""",
        "/etc/apache2/mods-available/ssl.load": (
            "# Depends: setenvif mime\nLoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n"
        ),
        "/etc/apache2/conf-available/security.conf": "ServerTokens OS\n",
        "/etc/apache2/envvars": (
            "unset HOME\nexport APACHE_PID_FILE=/var/run/apache2$SUFFIX/apache2.pid\n"
            "export APACHE_LOCK_DIR=/var/lock/apache2$SUFFIX\n"
        ),
        "/usr/lib/systemd/system/apache2.service": "[Service]\nExecStart=/usr/sbin/apachectl start\n",
        "/etc/nginx/nginx.conf": "events {}\nhttp {\n  include /etc/nginx/sites-enabled/*;\n}\n",
        "/etc/nginx/sites-available/default": (
            "server {\n\tlisten 80 default_server;\n\tlisten [::]:80 default_server;\n}\n"
        ),
        "/usr/lib/systemd/system/nginx.service": (
            "[Service]\nExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;'\n"
        ),
        "/etc/haproxy/haproxy.cfg": _HAPROXY,
        "/etc/default/haproxy": '#CONFIG="/etc/haproxy/haproxy.cfg"\n#EXTRAOPTS="-de -m 16"\n',
        "/usr/lib/systemd/system/haproxy.service": """\
[Service]
EnvironmentFile=-/etc/default/haproxy
EnvironmentFile=-/etc/sysconfig/haproxy
Environment="CONFIG=/etc/haproxy/haproxy.cfg" "PIDFILE=/run/haproxy.pid" "EXTRAOPTS=-S /run/haproxy-master.sock"
ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE $EXTRAOPTS
""",
        "/etc/sysctl.conf": "#net.ipv4.tcp_syncookies=1\nnet.core.somaxconn=2048\n",
        "/etc/sysctl.d/10-network-security.conf": "net.ipv4.conf.default.rp_filter=2\nnet.ipv4.conf.all.rp_filter=2\n",
        "/usr/lib/sysctl.d/50-default.conf": "net.ipv4.conf.default.rp_filter = 1\n",
        "/etc/sysctl.d/README.sysctl": "net.core.somaxconn=1\n",
    },
    links={
        "/etc/sysctl.d/99-sysctl.conf": "../sysctl.conf",
        "/etc/apache2/mods-enabled/ssl.load": "../mods-available/ssl.load",
        "/etc/apache2/conf-enabled/security.conf": "../conf-available/security.conf",
        "/etc/nginx/sites-enabled/default": "/etc/nginx/sites-available/default",
        "/lib": "usr/lib",
    },
    servers={
        "apache": Expected(
            _any6(80, 443),
            {"/etc/apache2/conf-enabled/nettune-tcp.conf": "+ListenBacklog 4096"},
            ("/usr/sbin/apache2", "-k", "start"),
            "apache2.service",
        ),
        "nginx": Expected(
            _both(80),
            {"/etc/nginx/sites-enabled/default": "+\tlisten 80 default_server backlog=4096;"},
            ("nginx: master process /usr/sbin/nginx -g daemon on; master_process on;",),
            "nginx.service",
        ),
        "haproxy": Expected(
            frozenset({("0.0.0.0", 5000)}),
            {"/etc/haproxy/haproxy.cfg": "+    bind *:5000 backlog 4096"},
            ("/usr/sbin/haproxy", "-Ws", "-f", "/etc/haproxy/haproxy.cfg", "-S", "/run/haproxy-master.sock"),
            "haproxy.service",
        ),
    },
    boot={
        "net.core.somaxconn": ("2048", "/etc/sysctl.d/99-sysctl.conf:2"),
        "net.ipv4.conf.default.rp_filter": ("1", "/usr/lib/sysctl.d/50-default.conf:1"),
    },
)

SUSE = Family(
    files={
        "/etc/apache2/httpd.conf": """\
Include /etc/apache2/uid.conf
Include /etc/apache2/server-tuning.conf
Include /etc/apache2/listen.conf
Include /etc/apache2/default-server.conf
IncludeOptional /etc/apache2/conf.d/*.conf
IncludeOptional /etc/apache2/vhosts.d/*.conf
""",
        "/etc/apache2/uid.conf": "User wwwrun\nGroup www\n",
        "/etc/apache2/server-tuning.conf": "<IfModule prefork.c>\n\tServerLimit 150\n</IfModule>\n",
        "/etc/apache2/listen.conf": """\
Listen 80
<IfDefine SSL>
    <IfDefine !NOSSL>
\tListen 443
    </IfDefine>
</IfDefine>
""",
        "/etc/apache2/default-server.conf": 'DocumentRoot "/srv/www/htdocs"\n',
        "/etc/sysconfig/apache2": 'APACHE_MODULES="actions alias"\nAPACHE_SERVER_FLAGS=""\nAPACHE_MPM=""\n',
        "/usr/lib/systemd/system/apache2.service": """\
[Service]
Type=notify
EnvironmentFile=/etc/sysconfig/apache2
ExecStart=/usr/sbin/start_apache2 -DSYSTEMD -DFOREGROUND -k start
[Install]
Alias=httpd.service
""",
        "/etc/nginx/nginx.conf": _NGINX % "vhosts.d/*.conf",
        "/etc/nginx/vhosts.d/app.conf": "server { listen 8081; }\n",
        "/usr/lib/systemd/system/nginx.service": '[Service]\nExecStart=/usr/sbin/nginx -g "daemon off;"\n',
        "/etc/haproxy/haproxy.cfg": _HAPROXY,
        "/usr/lib/systemd/system/haproxy.service": """\
[Service]
Environment="CONFIG=/etc/haproxy/haproxy.cfg" "PIDFILE=/run/haproxy.pid"
ExecStart=/usr/sbin/haproxy -Ws -f $CONFIG -p $PIDFILE
""",
        "/usr/lib/sysctl.d/50-default.conf": "net.ipv4.conf.all.rp_filter = 2\nnet.ipv4.tcp_syncookies = 1\n",
        "/usr/lib/sysctl.d/51-network.conf": "net.core.somaxconn = 256\n",
        "/etc/sysctl.d/70-yast.conf": "net.ipv4.ip_forward = 0\nnet.core.somaxconn = 300\n",
        "/etc/sysctl.conf": "# Put settings in /etc/sysctl.d\nnet.core.somaxconn = 1\n",
    },
    links={},
    servers={
        "apache": Expected(
            _any6(80),
            {"/etc/apache2/conf.d/nettune-tcp.conf": "+ListenBacklog 4096"},
            ("/usr/sbin/httpd-prefork", "-DSYSCONFIG", "-f", "/etc/apache2/httpd.conf", "-DSYSTEMD", "-DFOREGROUND"),
            "apache2.service",
        ),
        "nginx": Expected(
            _both(80) | {("0.0.0.0", 8081)},
            {
                "/etc/nginx/nginx.conf": "+        listen       80 backlog=4096;",
                "/etc/nginx/vhosts.d/app.conf": "+server { listen 8081 backlog=4096; }",
            },
            ("nginx: master process /usr/sbin/nginx -g daemon off;",),
            "nginx.service",
        ),
        "haproxy": Expected(
            frozenset({("0.0.0.0", 5000)}),
            {"/etc/haproxy/haproxy.cfg": "+    bind *:5000 backlog 4096"},
            ("/usr/sbin/haproxy", "-Ws", "-f", "/etc/haproxy/haproxy.cfg"),
            "haproxy.service",
        ),
    },
    boot={
        "net.core.somaxconn": ("300", "/etc/sysctl.d/70-yast.conf:2"),
        "net.ipv4.tcp_syncookies": ("1", "/usr/lib/sysctl.d/50-default.conf:2"),
    },
)

FAMILIES: t.Mapping[str, Family] = {"Red Hat": RED_HAT, "Ubuntu": UBUNTU, "SUSE": SUSE}
