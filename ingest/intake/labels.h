/*
 * labels.h - a set of labels, as Prometheus and Loki name what a series or stream is about, and who
 * that is: service, instance and node.
 *
 * The tools agree on no names for these. For each place the first name of a list that is there and
 * not empty counts; '.', '/' and '-' in a name are as good as '_':
 *   service   service_name service app_kubernetes_io_name app application k8s_deployment_name
 *             deployment container job (what stands behind its last '/': OpenTelemetry's rule for
 *             Prometheus joins the namespace so)
 *   instance  k8s_pod_name pod pod_name kubernetes_pod_name service_instance_id instance
 *             container_id
 *   node      k8s_node_name node node_name nodename kubernetes_node host_name hostname host
 *   version   service_version app_kubernetes_io_version
 */
#ifndef FL_LABELS_H
#define FL_LABELS_H

#include <stdbool.h>

#include "faultline/record.h"

/* Prometheus' own default for what it takes of a target is no limit; real series have some 10. */
enum { FL_MAX_LABELS = 128 };

typedef struct fl_labels {
    fl_attr items[FL_MAX_LABELS];
    size_t count;
    uint64_t dropped; /* that were over FL_MAX_LABELS, since creation */
} fl_labels;

/* None; what was dropped stays counted. */
void fl_labels_clear(fl_labels *labels);
/* Both texts are borrowed. A label without a value is as good as absent (Prometheus' data model).
 */
void fl_labels_add(fl_labels *labels, fl_slice name, fl_slice value);
/* The value; empty where there is none. */
fl_slice fl_labels_find(const fl_labels *labels, fl_slice name);
/* The same, and the label leaves the set. */
fl_slice fl_labels_take(fl_labels *labels, fl_slice name);
/* The labels that may name a service, the best first; NULL behind the last. */
const fl_slice *fl_labels_service_label(size_t index);
/* Up to this many labels say who it is. */
enum { FL_WHO_LABELS = 4 };
/* Take those that say who it is out of the set into told[], which the resource's attributes are. */
fl_resource fl_labels_take_who(fl_labels *labels, fl_attr told[FL_WHO_LABELS]);
/* The same, and announce it to the sink. */
FL_NODISCARD fl_status fl_labels_announce(uint32_t *handle, fl_labels *labels, const fl_sink *sink,
                                          fl_error *err);

#endif
