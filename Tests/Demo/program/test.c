#include <stdio.h>

#include "rpn.h"

static const struct {
    const char *text;
    enum rpn_status status;
    long result;
} cases[] = {
    {"7", RPN_OK, 7},
    {"2 3 + 4 *", RPN_OK, 20},
    {"10 2 8 * + 3 -", RPN_OK, 23},
    {"-6 4 /", RPN_OK, -1},
    {"1 0 /", RPN_DIVISION, 0},
    {"", RPN_UNDERFLOW, 0},
    {"1 +", RPN_UNDERFLOW, 0},
    {"1 2", RPN_SYNTAX, 0},
    {"1 2 ^", RPN_SYNTAX, 0},
    {"9223372036854775807 1 +", RPN_OVERFLOW, 0},
    {"9223372036854775808", RPN_OVERFLOW, 0},
};

int main(void)
{
    int failed = 0, count = sizeof cases / sizeof *cases;

    for (int i = 0; i < count; i++) {
        long result = 0;
        enum rpn_status status = rpn_evaluate(cases[i].text, &result);
        int good = status == cases[i].status && result == cases[i].result;
        printf("%-6s '%s' is %ld (%s)\n", good ? "ok" : "FAILED", cases[i].text, result, rpn_message(status));
        failed += !good;
    }
    printf("%d of %d tests passed\n", count - failed, count);
    return failed != 0;
}
