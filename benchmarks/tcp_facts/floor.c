/* Copyright (c) 2026, the nettune.tcp contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The floor: dump every TCP socket of this network namespace by sock_diag and throw it away. Nothing that shows each
 * socket to a process can be faster. Prints the seconds of one walk for both families (TCPDIAG_GETSOCK), then those of
 * one walk for each (SOCK_DIAG_BY_FAMILY, as ss does it).
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

static void dump(const void *ask, size_t size)
{
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    if (fd < 0 || send(fd, ask, size, 0) < 0)
        err(1, "send");
    for (;;) {
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got < NLMSG_LENGTH(sizeof(int)))
            err(1, "recv");
        /* the end may ride behind the last sockets */
        struct nlmsghdr *last = (void *)(buffer + got - NLMSG_LENGTH(sizeof(int)));
        if (last->nlmsg_type == NLMSG_DONE && last->nlmsg_len == NLMSG_LENGTH(sizeof(int)))
            break;
        if (((struct nlmsghdr *)buffer)->nlmsg_type == NLMSG_ERROR)
            errx(1, "refused");
    }
    close(fd);
}

static void one_walk(void)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req request;
    } ask = {
        .header = {sizeof ask, TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .request = {.idiag_states = 0x1ffe},
    };
    dump(&ask, sizeof ask);
}

static void one_walk_per_family(void)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } ask = {
        .header = {sizeof ask, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
        .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = 0x1ffe},
    };
    dump(&ask, sizeof ask);
    ask.request.sdiag_family = AF_INET6;
    dump(&ask, sizeof ask);
}

static double seconds(void (*work)(void))
{
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    work();
    clock_gettime(CLOCK_MONOTONIC, &end);
    return end.tv_sec - start.tv_sec + (end.tv_nsec - start.tv_nsec) / 1e9;
}

int main(void)
{
    double one = seconds(one_walk), two = seconds(one_walk_per_family);
    printf("%.6f %.6f\n", one, two);
    return 0;
}
