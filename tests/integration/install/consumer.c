/*
 * consumer.c - a program outside the tree: it sees only what was installed.
 */
#include <stdio.h>
#include <string.h>

#include <faultline/triage.h>

int main(void)
{
    /* Reaches into every layer, so that a dependency missing from the package shows when linking.
     */
    const char *const nowhere[] = {"no-such-folder"};
    fl_triage_request request = {.otlp = nowhere, .otlp_count = 1, .at_ns = 1};
    fl_triage *triage = NULL;
    fl_error err = {0};
    fl_status status = fl_triage_run(&triage, &request, &err);
    fl_triage_destroy(triage);
    if (status != FL_E_IO) {
        fprintf(stderr, "a missing folder gave %s: %s\n", fl_status_name(status), err.message);
        return 1;
    }
    printf("%s\n", fl_version());
    return strlen(fl_version()) > 0 ? 0 : 1;
}
