/*
 * bad_server.h - fetch_server.py as a child of a test: it lives while its standard input is open.
 */
#ifndef FL_BAD_SERVER_H
#define FL_BAD_SERVER_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct fl_bad_server {
    pid_t pid;
    int to, port;
} fl_bad_server;

/* `script` prints its port on a line; `folder` is its argument, or NULL. */
static inline fl_bad_server fl_server_start(const char *script, const char *folder)
{
    int in[2], out[2];
    char line[32] = "";
    fl_bad_server server = {0};
    if (pipe(in) != 0 || pipe(out) != 0)
        abort();
    server.pid = fork();
    if (server.pid == 0) {
        dup2(in[0], STDIN_FILENO);
        dup2(out[1], STDOUT_FILENO);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", script, folder, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server.to = in[1];
    FILE *said = fdopen(out[0], "r");
    if (said == NULL || fgets(line, sizeof(line), said) == NULL)
        abort();
    server.port = atoi(line);
    fclose(said);
    return server;
}

static inline void fl_server_stop(const fl_bad_server *server)
{
    close(server->to);
    kill(server->pid, SIGTERM);
    waitpid(server->pid, NULL, 0);
}

#endif
