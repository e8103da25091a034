/* A calculator in reverse Polish notation: "2 3 + 4 *" is 20. */
#ifndef RPN_H
#define RPN_H

enum rpn_status { RPN_OK, RPN_SYNTAX, RPN_UNDERFLOW, RPN_OVERFLOW, RPN_DIVISION };

enum rpn_status rpn_evaluate(const char *text, long *result);
const char *rpn_message(enum rpn_status status);

#endif
