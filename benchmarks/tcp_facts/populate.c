/* Copyright (c) 2026, the nettune.tcp contributors
 * GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Fill the network namespace it runs in with about N TCP sockets of a busy server: 70 % TIME_WAIT (two thirds of them
 * inbound), the rest ESTABLISHED, CLOSE_WAIT and FIN_WAIT2; IPv4, IPv6 and IPv4 clients of dual-stack listeners.
 *
 *     populate N [CLIENTS]
 *
 * There are at least 16 listeners at a million sockets (a process holds at most 20,000 files), each of which is called
 * by CLIENTS different addresses of each kind, 1000 by default.
 * TIME_WAIT lasts 60 s whatever one does, so every line on stdin tops it up again; "ready" is printed each time.
 * The end of stdin ends it. Needs: lo up, 127/8 and fd00::/16 local on it, tcp_tw_reuse=0, ip_nonlocal_bind=1 (IPv6).
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { UPSTREAMS = 64, BACKLOG = 4096, WORKERS = 100 };
enum kind { V4, V6, MAPPED };

static int worker, v4_listeners[WORKERS], v6_listeners[WORKERS];
static uint32_t serial, clients = 1000;

static struct sockaddr_in6 endpoint(enum kind kind, uint32_t host, int port)
{
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    if (kind == V6) {
        six.sin6_addr.s6_addr[0] = 0xfd;
        host = htonl(host);
        memcpy(&six.sin6_addr.s6_addr[12], &host, 4);
        return six;
    }
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(0x7f000000 | host)}};
    memcpy(&six, &four, sizeof four);
    return six;
}

static int listener(int family, int port)
{
    int one = 1, fd = socket(family, SOCK_STREAM, 0);
    struct sockaddr_in6 any = {.sin6_family = family, .sin6_port = htons(port)};
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (void *)&any, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof any) || listen(fd, BACKLOG))
        err(1, "listener on port %d", port);
    return fd;
}

/* One connection through our own listener; inbound ones come from many clients, outbound ones go to few upstreams. */
static void pair(enum kind kind, int inbound, int *client, int *server)
{
    int one = 1, passive = (kind == V4 ? v4_listeners : v6_listeners)[worker];
    struct sockaddr_in6 from = endpoint(kind, inbound ? 0x20000 + serial % clients : 1, 0);
    struct sockaddr_in6 to = endpoint(kind, inbound ? 2 : 0x100 + serial % UPSTREAMS, (kind == V4 ? 8000 : 8100) + worker);
    socklen_t size = kind == V6 ? sizeof from : sizeof(struct sockaddr_in);
    serial++;
    *client = socket(kind == V6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    setsockopt(*client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (*client < 0 || bind(*client, (void *)&from, size) || connect(*client, (void *)&to, size))
        err(1, "connection %u", serial);
    if ((*server = accept(passive, NULL, NULL)) < 0)
        err(1, "accept");
}

static void time_wait(enum kind kind, int inbound)
{
    int client, server;
    pair(kind, inbound, &client, &server);
    close(inbound ? server : client);
    close(inbound ? client : server);
}

static void top_up(long count)
{
    for (long i = 0; i < count; i++) {
        int part = i % 20;
        time_wait(part < 13 ? V4 : part < 17 ? V6 : MAPPED, part % 3 != 2);
    }
}

static void hold(long pairs)
{
    int client, server;
    for (long i = 0; i < pairs; i++) {
        pair(i % 5 == 4 ? V6 : i % 5 == 3 ? MAPPED : V4, 0, &client, &server);
        if (i % 4 == 3)
            shutdown(client, SHUT_WR);
    }
}

static long waiting(void)
{
    long tw = 0;
    char line[256];
    FILE *stream = fopen("/proc/net/sockstat", "r");
    while (stream && fgets(line, sizeof line, stream))
        sscanf(line, "TCP: inuse %*d orphan %*d tw %ld", &tw);
    if (stream)
        fclose(stream);
    return tw;
}

static void work(int orders, int answers, long pairs)
{
    long count;
    hold(pairs);
    while (read(orders, &count, sizeof count) == sizeof count) {
        top_up(count);
        if (write(answers, &count, sizeof count) < 0)
            err(1, "answer");
    }
    exit(0);
}

int main(int argc, char **argv)
{
    long total = argc > 1 ? atol(argv[1]) : 1000, wanted = total * 7 / 10, pairs = (total - wanted) / 2, done;
    struct rlimit files;
    clients = argc > 2 ? (uint32_t)atol(argv[2]) : clients;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    long each = (long)files.rlim_cur / 2 - 64, workers = (pairs + each - 1) / each;
    int orders[WORKERS], answers[2];
    char line[64];

    workers = workers < 2 ? 2 : workers > WORKERS ? WORKERS : workers;
    if (pipe(answers))
        err(1, "pipe");
    for (int i = 0; i < workers; i++) { /* before connections of the first take such a port */
        v4_listeners[i] = listener(AF_INET, 8000 + i);
        v6_listeners[i] = listener(AF_INET6, 8100 + i);
    }
    for (worker = 0; worker < workers; worker++) {
        int order[2];
        if (pipe(order))
            err(1, "pipe");
        if (!fork()) {
            for (int i = 0; i < worker; i++)
                close(orders[i]);
            close(order[1]);
            work(order[0], answers[1], pairs / workers);
        }
        close(order[0]);
        orders[worker] = order[1];
    }
    close(answers[1]);
    do {
        long missing = wanted - waiting();
        long count = missing > 0 ? (missing + workers - 1) / workers : 0;
        for (int i = 0; i < workers; i++)
            if (write(orders[i], &count, sizeof count) < 0)
                err(1, "order");
        for (int i = 0; i < workers; i++)
            if (read(answers[0], &done, sizeof done) != sizeof done)
                errx(1, "a worker failed");
        puts("ready");
        fflush(stdout);
    } while (fgets(line, sizeof line, stdin));
    for (int i = 0; i < workers; i++)
        close(orders[i]);
    while (wait(NULL) > 0)
        ;
    return 0;
}
