/*
 * libpq_lazy.h - the functions of libpq that are used, called as ever and loaded when a server is
 * first asked for (base/lazy.h).
 */
#ifndef FL_LIBPQ_LAZY_H
#define FL_LIBPQ_LAZY_H

#include <libpq-fe.h>

#include "lazy.h"

#define FL_LIBPQ_FUNCTIONS(X)                                                                      \
    X(PQcancel)                                                                                    \
    X(PQclear)                                                                                     \
    X(PQcmdTuples)                                                                                 \
    X(PQconnectdbParams)                                                                           \
    X(PQdb)                                                                                        \
    X(PQenterPipelineMode)                                                                         \
    X(PQerrorMessage)                                                                              \
    X(PQexec)                                                                                      \
    X(PQexecParams)                                                                                \
    X(PQexitPipelineMode)                                                                          \
    X(PQfinish)                                                                                    \
    X(PQfreeCancel)                                                                                \
    X(PQgetCancel)                                                                                 \
    X(PQgetResult)                                                                                 \
    X(PQgetisnull)                                                                                 \
    X(PQgetvalue)                                                                                  \
    X(PQhost)                                                                                      \
    X(PQpipelineSync)                                                                              \
    X(PQprepare)                                                                                   \
    X(PQputCopyData)                                                                               \
    X(PQputCopyEnd)                                                                                \
    X(PQreset)                                                                                     \
    X(PQresultErrorField)                                                                          \
    X(PQresultErrorMessage)                                                                        \
    X(PQresultStatus)                                                                              \
    X(PQsendQueryParams)                                                                           \
    X(PQsendQueryPrepared)                                                                         \
    X(PQsetNoticeProcessor)                                                                        \
    X(PQsetSingleRowMode)                                                                          \
    X(PQstatus)                                                                                    \
    X(PQtransactionStatus)

FL_LIBPQ_FUNCTIONS(FL_LAZY_DECLARE)

#ifndef FL_LIBPQ_OWN_NAMES /* where the pointers are defined */
#define PQcancel             fl_lazy_PQcancel
#define PQclear              fl_lazy_PQclear
#define PQcmdTuples          fl_lazy_PQcmdTuples
#define PQconnectdbParams    fl_lazy_PQconnectdbParams
#define PQdb                 fl_lazy_PQdb
#define PQenterPipelineMode  fl_lazy_PQenterPipelineMode
#define PQerrorMessage       fl_lazy_PQerrorMessage
#define PQexec               fl_lazy_PQexec
#define PQexecParams         fl_lazy_PQexecParams
#define PQexitPipelineMode   fl_lazy_PQexitPipelineMode
#define PQfinish             fl_lazy_PQfinish
#define PQfreeCancel         fl_lazy_PQfreeCancel
#define PQgetCancel          fl_lazy_PQgetCancel
#define PQgetResult          fl_lazy_PQgetResult
#define PQgetisnull          fl_lazy_PQgetisnull
#define PQgetvalue           fl_lazy_PQgetvalue
#define PQhost               fl_lazy_PQhost
#define PQpipelineSync       fl_lazy_PQpipelineSync
#define PQprepare            fl_lazy_PQprepare
#define PQputCopyData        fl_lazy_PQputCopyData
#define PQputCopyEnd         fl_lazy_PQputCopyEnd
#define PQreset              fl_lazy_PQreset
#define PQresultErrorField   fl_lazy_PQresultErrorField
#define PQresultErrorMessage fl_lazy_PQresultErrorMessage
#define PQresultStatus       fl_lazy_PQresultStatus
#define PQsendQueryParams    fl_lazy_PQsendQueryParams
#define PQsendQueryPrepared  fl_lazy_PQsendQueryPrepared
#define PQsetNoticeProcessor fl_lazy_PQsetNoticeProcessor
#define PQsetSingleRowMode   fl_lazy_PQsetSingleRowMode
#define PQstatus             fl_lazy_PQstatus
#define PQtransactionStatus  fl_lazy_PQtransactionStatus
#endif

/* Before the first call; again is no cost. */
FL_NODISCARD fl_status fl_libpq_load(fl_error *err);

#endif
