/* Copyright (c) 2026, the nettune.tcp contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a user plants: it listens where the environment says, or else leaves its uid in MARK, so as to show who ran it.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int listen_on(const char *port, const char *path)
{
	struct sockaddr_in inet = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_un local = { .sun_family = AF_UNIX };
	int made = socket(path ? AF_UNIX : AF_INET, SOCK_STREAM, 0);

	if (path)
		strncpy(local.sun_path, path, sizeof(local.sun_path) - 1);
	else
		inet.sin_port = htons(atoi(port));
	if (path ? bind(made, (struct sockaddr *)&local, sizeof(local)) : bind(made, (struct sockaddr *)&inet, sizeof(inet)))
		return 1;
	if (listen(made, 128))
		return 1;
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}

int main(void)
{
	const char *port = getenv("PLANTED_PORT"), *path = getenv("PLANTED_PATH");
	FILE *mark;

	if (port || path)
		return listen_on(port, path);
	mark = fopen(MARK, "a");
	if (mark) {
		fprintf(mark, "%d\n", (int)geteuid());
		fclose(mark);
	}
	return 0;
}
