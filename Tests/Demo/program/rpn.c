#include "rpn.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define DEPTH 64

static enum rpn_status apply(char operator, long left, long right, long *result)
{
    switch (operator) {
    case '+': return __builtin_add_overflow(left, right, result) ? RPN_OVERFLOW : RPN_OK;
    case '-': return __builtin_sub_overflow(left, right, result) ? RPN_OVERFLOW : RPN_OK;
    case '*': return __builtin_mul_overflow(left, right, result) ? RPN_OVERFLOW : RPN_OK;
    case '/':
        if (right == 0) return RPN_DIVISION;
        if (left == LONG_MIN && right == -1) return RPN_OVERFLOW;
        *result = left / right;
        return RPN_OK;
    default: return RPN_SYNTAX;
    }
}

enum rpn_status rpn_evaluate(const char *text, long *result)
{
    long stack[DEPTH];
    int depth = 0;

    while (*text) {
        if (isspace((unsigned char)*text)) {
            text++;
            continue;
        }
        if (isdigit((unsigned char)*text) || (*text == '-' && isdigit((unsigned char)text[1]))) {
            char *end;
            errno = 0;
            long value = strtol(text, &end, 10);
            if (errno == ERANGE || depth == DEPTH) return RPN_OVERFLOW;
            stack[depth++] = value;
            text = end;
        } else {
            if (depth < 2) return RPN_UNDERFLOW;
            enum rpn_status status = apply(*text, stack[depth - 2], stack[depth - 1], &stack[depth - 2]);
            if (status != RPN_OK) return status;
            depth--;
            text++;
        }
    }
    if (depth != 1) return depth ? RPN_SYNTAX : RPN_UNDERFLOW;
    *result = stack[0];
    return RPN_OK;
}

const char *rpn_message(enum rpn_status status)
{
    static const char *const messages[] = {"ok", "syntax error", "too few numbers", "number too large", "division by zero"};
    return messages[status];
}
