/*
 * The numbers with which hactl ends; the engine sends them with its answers.
 */
#ifndef HAWATCH_EXITCODE_H
#define HAWATCH_EXITCODE_H

enum exitcode {
#define EXITCODE(id, number, text) EXITCODE_##id = (number),
#include "hawatch/exitcode.def"
#undef EXITCODE
};

#endif
