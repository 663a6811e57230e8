/* Copyright (c) 2026, the nettune.tcp contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The floor: dump every TCP socket of this network namespace by sock_diag and throw it away. Nothing that shows each
 * socket to a process can be faster. Prints the seconds it took and the bytes it got.
 */
#include <err.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 15];

static long dump(int fd, int family)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } ask = {
        .header = {sizeof ask, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .request = {.sdiag_family = family, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 0x1ffe},
    };
    long bytes = 0;
    if (send(fd, &ask, sizeof ask, 0) < 0)
        err(1, "send");
    for (;;) {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got < NLMSG_LENGTH(sizeof(int)))
            err(1, "recv");
        bytes += got;
        /* the end may ride behind the last sockets */
        struct nlmsghdr *last = (void *)(buffer + got - NLMSG_LENGTH(sizeof(int)));
        if (last->nlmsg_type == NLMSG_DONE && last->nlmsg_len == NLMSG_LENGTH(sizeof(int)))
            return bytes;
        if (((struct nlmsghdr *)buffer)->nlmsg_type == NLMSG_ERROR)
            errx(1, "refused");
    }
}

int main(void)
{
    struct timespec start, end;
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    clock_gettime(CLOCK_MONOTONIC, &start);
    long bytes = dump(fd, AF_INET) + dump(fd, AF_INET6);
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.6f %ld\n", end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9, bytes);
    return 0;
}
