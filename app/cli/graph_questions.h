/*
 * graph_questions.h - graph paths -: questions on standard input, answered one by one from the
 * graph in memory (graph_live.h), for programs that ask again and again.
 *
 *   question := {"symptoms": [KEY, ...]} | {"incident": ID} | {"service": NAME}
 *               and, where wanted, "most": N    causes, and fixes of each, that are told, in
 *                                               place of what --most says; 0: all
 *
 * One JSON object a line; the answer is one line, the document of `graph paths --format json`, or
 * {"error": SENTENCE} where the question could not be answered. Empty lines are passed over. Before
 * each question the graph is refreshed.
 */
#ifndef FL_GRAPH_QUESTIONS_H
#define FL_GRAPH_QUESTIONS_H

#include "cmd_graph.h"

/* Until the input ends. What is wrong with one question is its answer; a failure is that of the
 * input or the output. */
FL_NODISCARD fl_status fl_graph_answer_questions(fl_graph_call *call, fl_error *err);

#endif
