# Copyright (c) 2026, the nettune.tcp contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Two services, started now and at boot: nginx with one worker and the backlog that it has by default, and a program of
# a user without privileges whose hard limit of open files is low.
set -eu

cat > /etc/nginx/nginx.conf <<END
worker_processes 1;
pid /run/nginx.pid;
events {
  worker_connections 8192;
}
http {
  access_log off;
  server {
    listen 80;
    return 200 "nginx\n";
  }
}
END
cat > /etc/systemd/system/low.service <<END
[Service]
User=nobody
ExecStart=/bin/sleep infinity
LimitNOFILE=1024:2000

[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl --quiet enable --now nginx.service low.service
