/*
 * alerts.h - alerts as Alertmanager sends them to a webhook, and as its API and that of Prometheus
 * list them.
 *
 *   webhook  version "4": { "version", "status", "receiver", "alerts": [ ALERT* ], "groupKey", ...
 * } lists    GET /api/v2/alerts of Alertmanager: [ ALERT* ] GET /api/v1/alerts of Prometheus: {
 * "status", "data": { "alerts": [ ALERT* ] } } Source:
 * prometheus.io/docs/alerting/latest/configuration/#webhook_config, notifications and the OpenAPI
 * of Alertmanager. What becomes of the members: docs/formats/alerts.md.
 *
 * Deliveries repeat and batch: an alert is the same where fingerprint and start are. One that
 * cannot be read costs itself.
 */
#ifndef FL_ALERTS_H
#define FL_ALERTS_H

#include "intake.h"

/* A notification of Alertmanager holds a group; 64 MiB are some 50,000 alerts. */
#define FL_MAX_ALERTS_BYTES (64u << 20)

/* Push each alert of `body` into sink->alert. FL_E_UNSUPPORTED: the body holds no alerts, or is a
 * webhook of another version; nothing was pushed. Otherwise FL_OK, or what the sink, strict mode or
 * want of memory said. */
FL_NODISCARD fl_status fl_alerts_json(fl_intake *to, fl_slice body, fl_error *err);

#endif
