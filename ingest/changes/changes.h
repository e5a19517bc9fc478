/*
 * changes.h - webhooks of GitHub and GitLab that tell of a deployment, a merge or a flag.
 *
 * Source: docs.github.com/webhooks/webhook-events-and-payloads,
 * docs.gitlab.com/user/project/integrations/webhook_events. Which deliveries become changes, and
 * which are passed over: docs/formats/changes.md. Deliveries repeat: an equal change is the same.
 */
#ifndef FL_CHANGES_H
#define FL_CHANGES_H

#include "intake.h"

/* GitHub sends 25 MB at most. */
#define FL_MAX_WEBHOOK_BYTES (64u << 20)

/* Whether a delivery is from who knows the secret, which must not be empty. GitHub signs the body
 * (X-Hub-Signature-256: sha256=HEX), GitLab sends the secret itself (X-Gitlab-Token). */
bool fl_changes_github_signed(fl_slice secret, fl_slice body, fl_slice signature);
bool fl_changes_gitlab_token(fl_slice secret, fl_slice token);

/* Push what the deliveries in `body` tell, one JSON document each, into sink->change; told apart by
 * content. `received_ns` is the time of those that tell none (0: they are refused).
 * FL_E_UNSUPPORTED: the body begins with no delivery of either, and nothing was pushed. Otherwise
 * FL_OK, also where nothing of it is a change, or what the sink, strict mode or want of memory
 * said. */
FL_NODISCARD fl_status fl_changes_json(fl_intake *to, fl_slice body, int64_t received_ns,
                                       fl_error *err);

#endif
