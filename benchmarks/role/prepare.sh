# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Four servers as four units, each on a port of its own and with the queue it has by default; and who may log in.
set -eu
umask 022
cat > /etc/nginx/sites-available/default <<'END'
server {
  listen 80 default_server;
  return 200 "nginx\n";
}
END
echo 'Listen 81' > /etc/apache2/ports.conf
cat > /etc/haproxy/haproxy.cfg <<'END'
global
    maxconn 1000
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend web
    bind :82
    http-request deny
END
cat > /etc/lighttpd/lighttpd.conf <<'END'
server.document-root = "/var/www/html"
server.port = 83
END
# In a container nothing can be mounted.
mkdir -p /etc/systemd/system/haproxy.service.d
printf '[Service]\nBindReadOnlyPaths=\n' > /etc/systemd/system/haproxy.service.d/lab.conf
mkdir -p /root/.ssh
chmod 700 /root/.ssh
echo "$1" > /root/.ssh/authorized_keys
systemctl daemon-reload
systemctl enable --quiet --now nginx.service apache2.service haproxy.service lighttpd.service
systemctl start ssh.service
